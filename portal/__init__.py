"""What the portal knows: configuration, GitLab, counting, the relay. No HTTP server, no SQL."""

__version__ = "0.1.0"
