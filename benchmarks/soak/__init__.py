"""A soak: mixed work at half of what the portal can do, among a crowd that is idle or slow.

`mixed.py` works, `crowd.py` idles, `pages.py` looks at a page all the while; each is a process of
its own. `bars.py` watches the portal's memory and descriptors meanwhile.
"""
