"""Shared caches before a portal: squid as a forward proxy, Varnish in front."""

import contextlib
import os
import socket
import subprocess
import time

from tests.support.deploy.caddy import free_port

SECONDS = 30

SQUID = """\
http_port 127.0.0.1:{port}
pid_filename none
cache_log {directory}/cache.log
access_log none
coredump_dir {directory}
cache_effective_user {user}
cache_mem 32 MB
maximum_object_size_in_memory 16 MB
http_access allow all
forwarded_for transparent
shutdown_lifetime 0 seconds
"""


PROGRAMS = {"squid": "squid", "varnish": "varnishd"}


@contextlib.contextmanager
def running(name, directory, portal):
    """The arguments with which curl asks `portal` through this cache, and the origin to ask."""
    port = free_port()
    directory.chmod(0o777)  # squid gives up root's rights
    if name == "squid":
        user = "proxy" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
        configuration = directory / "squid.conf"
        configuration.write_text(SQUID.format(port=port, directory=directory, user=user))
        command = ["squid", "-N", "-f", str(configuration)]
        arguments, origin = ["-x", f"http://127.0.0.1:{port}", "--noproxy", ""], portal.url
    else:
        command = ["varnishd", "-F", "-j", "none", "-n", str(directory / "varnish")]
        command += ["-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{portal.port}"]
        command += ["-s", "malloc,32m"]
        arguments, origin = [], f"http://127.0.0.1:{port}"
    environ = {"PATH": os.environ["PATH"] + ":/usr/sbin", "HOME": str(directory)}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, env=environ)
    try:
        until = time.monotonic() + SECONDS
        while not listens(port):
            assert process.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < until, (directory / "log").read_text()
            time.sleep(0.05)
        yield arguments, origin
    finally:
        process.terminate()
        process.wait(SECONDS)


def listens(port):
    """Whether somebody accepts connections there."""
    with contextlib.suppress(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False
