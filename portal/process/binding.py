"""Why a listening socket cannot be bound, with the program that holds the address.

/proc/net/tcp and tcp6 name the inode of each listening socket (proc_pid_net(5)), and the links in
/proc/<pid>/fd name the inodes that a process has open, for its own user and for root.
"""

import errno
from contextlib import suppress
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN of the kernel's include/net/tcp_states.h


def bind_fault(error: OSError, address: str, port: int) -> str:
    """One sentence for the log."""
    place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is taken by {holder(port) or 'another program'}"
    if error.errno == errno.EACCES and port < 1024:
        return f"port {port} needs root or CAP_NET_BIND_SERVICE: listen on a port above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is no address of this machine (listen.address)"
    return f"{place} cannot be listened on: {error.strerror or error}"


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """The name and id of the process that listens on the port; "" where that cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    for directory in sorted(proc.glob("[0-9]*")) if sockets else ():
        with suppress(OSError):
            for descriptor in (directory / "fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in sockets:
                        name = (directory / "comm").read_text(errors="replace").strip()
                        return f"{name} (process {directory.name})"
    return ""


def _inodes(port: int, proc: Path) -> set[str]:
    found = set()
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return found
