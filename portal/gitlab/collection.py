"""Pausing of Python's garbage collector while a long list becomes values.

A full collection goes through every object and holds the interpreter's lock for 20 to 60 ms where
a list has 100,000 files, and the many new objects of a list set it off again and again.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# New objects beyond which the next collection would take some milliseconds by itself.
MANY = 20_000

_lock = threading.Lock()
_pausing: set[object] = set()


@contextmanager
def paused_collection() -> Iterator[None]:
    """No collection until the last of those who pause it is done; for any thread.

    Where many objects were made, all that live are then kept out of later collections
    (`gc.freeze`). Lists of releases hold no reference cycles and are freed without a collection;
    what is lost are the cycles of requests that run at that moment, once for each long list that
    has changed.
    """
    pause = object()
    with _lock:
        _pausing.add(pause)
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _pausing.remove(pause)
            if not _pausing:
                if gc.get_count()[0] > MANY:
                    gc.freeze()
                gc.enable()
