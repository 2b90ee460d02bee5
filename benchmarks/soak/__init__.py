"""Soak test: mixed work at half of the portal's capacity, with many idle and slow connections.

`mixed.py` does the work, `crowd.py` holds idle and slow connections, `pages.py` requests one page
again and again; each is a process. `bars.py` watches the portal's memory and descriptors.
"""
