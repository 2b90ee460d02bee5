"""Run a command as a unit's [Service] would, as far as that takes no systemd.

    python -m tests.support.deploy.sandbox UNIT COMMAND...

What is done: NoNewPrivileges, CapabilityBoundingSet, the limits (Limit*), UMask,
MemoryDenyWriteExecute, RestrictAddressFamilies and SystemCallFilter, by the same library as systemd
does (libseccomp) and with the sets of system calls that this systemd has.
"""

import ctypes
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

ALLOW, ERRNO = 0x7FFF0000, 0x00050000  # seccomp.h
MASKED_EQUAL = 7
EPERM, EAFNOSUPPORT = 1, 97
PROT_WRITE_EXEC, PROT_EXEC, SHM_EXEC = 6, 4, 0o100000
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAPABILITIES = 41  # the kernel's, as of Linux 6


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    ]


def settings(unit):
    """The settings of a unit's [Service], each with all its values in order."""
    section, found = "", {}
    for line in Path(unit).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def call_sets():
    """The sets of system calls by name, as this systemd has them."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True
    )
    sets = {}
    for line in re.sub(r"\x1b\[[\d;]*m", "", listed.stdout).splitlines():
        if line.startswith("@"):
            sets[line] = current = []
        elif line.startswith("    ") and not line.lstrip().startswith("#"):
            current.append(line.strip())
        elif not line.strip():
            continue
        elif line.startswith("#"):  # calls of the kernel that are in no set
            break
    return sets


def allowed(filters):
    """The system calls that SystemCallFilter= lines allow, the first of which allows."""
    sets = call_sets()

    def members(name):
        if not name.startswith("@"):
            return {name}
        return set().union(*map(members, sets[name]))

    calls = members("@default")
    for line in filters:
        names = set().union(*map(members, line.removeprefix("~").split()))
        calls = calls - names if line.startswith("~") else calls | names
    return calls


class Filter:
    """A filter of system calls, for this process and all that it starts, once loaded."""

    def __init__(self, default):
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action, call, *comparisons):
        """Do this where a call is made with such arguments: (argument, mask, value)."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:  # another architecture's
            return
        compared = [Comparison(a, MASKED_EQUAL, mask, value) for a, mask, value in comparisons]
        array = (Comparison * len(compared))(*compared)
        assert not self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(compared), array
        )

    def load(self):
        """Put it in force."""
        assert not self._library.seccomp_load(self._context)


def confine(service):
    """Give up what the settings do not leave to a service."""
    libc = ctypes.CDLL(None)
    if service.get("CapabilityBoundingSet") == [""] and os.getuid() == 0:
        for capability in range(CAPABILITIES):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    assert not libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.umask(int(service["UMask"][0], 8))
    for name in ("LimitNOFILE", "LimitCORE"):
        if name in service:
            kind = getattr(resource, name.replace("Limit", "RLIMIT_"))
            hard = resource.getrlimit(kind)[1]  # only systemd may be able to raise it
            limit = int(service[name][0])
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (limit, limit))
    calls = Filter(ERRNO | EPERM)
    for call in allowed(service["SystemCallFilter"]):
        calls.rule(ALLOW, call)
    arguments = Filter(ALLOW)
    if service.get("MemoryDenyWriteExecute") == ["yes"]:
        arguments.rule(ERRNO | EPERM, "mmap", (2, PROT_WRITE_EXEC, PROT_WRITE_EXEC))
        arguments.rule(ERRNO | EPERM, "mprotect", (2, PROT_EXEC, PROT_EXEC))
        arguments.rule(ERRNO | EPERM, "pkey_mprotect", (2, PROT_EXEC, PROT_EXEC))
        arguments.rule(ERRNO | EPERM, "shmat", (2, SHM_EXEC, SHM_EXEC))
    families = {FAMILIES[name] for name in service["RestrictAddressFamilies"][0].split()}
    for family in set(range(46)) - families:
        arguments.rule(ERRNO | EAFNOSUPPORT, "socket", (0, 2**64 - 1, family))
    arguments.load()
    calls.load()


if __name__ == "__main__":
    confine(settings(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
