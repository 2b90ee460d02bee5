"""CPU time and memory of a process and its children, from /proc (proc(5), Linux)."""

import os
import re
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_RESET_PEAK = "5"  # what clear_refs takes for "set VmHWM to the memory in use"


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and its living descendants."""
    ticks = 0
    for process in tree(pid):
        with suppress(OSError):
            fields = _stat(process)
            ticks += int(fields[11]) + int(fields[12])  # utime, stime
    return ticks / _TICKS


def reset_peak(pid: int) -> None:
    """Reset the peak of resident memory, for the whole tree."""
    for process in tree(pid):
        (PROC / str(process) / "clear_refs").write_text(_RESET_PEAK)


def peak_bytes(pid: int) -> int:
    """The peak of resident memory since `reset_peak`, summed over the tree."""
    statuses = ((PROC / str(process) / "status").read_text() for process in tree(pid))
    return sum(int(match[1]) << 10 for match in map(_PEAK.search, statuses) if match)


def resident_bytes(pid: int) -> dict[int, int]:
    """Resident memory by process id, for the whole tree."""
    found = {}
    for process in tree(pid):
        with suppress(OSError):
            pages = (PROC / str(process) / "statm").read_text().split()[1]
            found[process] = int(pages) * _PAGE
    return found


def descriptors(pid: int) -> int:
    """The number of open descriptors of one process."""
    return len(list((PROC / str(pid) / "fd").iterdir()))


def tree(pid: int) -> list[int]:
    """The ids of the process and of all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                process = int(entry.name)
                children.setdefault(int(_stat(process)[1]), []).append(process)
    found = [pid]
    for process in found:
        found += children.get(process, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name (which may hold any character): state, ppid…"""
    text = (PROC / str(pid) / "stat").read_text(errors="replace")
    return text.rpartition(")")[2].split()
