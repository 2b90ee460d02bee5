"""glibc's heap, set for a program that makes and drops large pieces all the time."""

import ctypes

# Parameters of mallopt(3), from malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def keep_heap() -> None:
    """Give memory back in larger steps.

    By default the top of the heap goes back to the kernel after nearly every batch that is written,
    and its pages are faulted in and cleared anew for the next: a third of the CPU of a transfer.
    Does nothing where the C library has no mallopt.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(M_TRIM_THRESHOLD, 16 << 20)
    mallopt(M_MMAP_THRESHOLD, 8 << 20)
    mallopt(M_TOP_PAD, 1 << 20)
