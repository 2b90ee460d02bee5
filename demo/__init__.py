"""A stand-in GitLab with real content, and the launcher that puts the portal in front of it.

Nothing of the portal imports this: the portal talks to it as to any GitLab.
"""
