"""Runs nginx as the origin of all files, as the yardstick, and with its default settings."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.children import ADDRESS, listening

# The settings of the yardstick: few, large reads and writes, and no temporary files.
LARGE_BUFFERS = """
    proxy_buffer_size 512k;
    proxy_buffers 4 512k;
    proxy_busy_buffers_size 512k;
"""

_CONFIGURATION = """
{user}
worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/{name}.body;
    proxy_temp_path {folder}/{name}.proxy;
    fastcgi_temp_path {folder}/{name}.fastcgi;
    uwsgi_temp_path {folder}/{name}.uwsgi;
    scgi_temp_path {folder}/{name}.scgi;
    {http}
    server {{
        listen {address}:{port} backlog=4096;
        {server}
    }}
}}
"""

_PROXY = """
    upstream files {{
        server {address}:{origin};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_max_temp_file_size 0;
    {buffers}
"""


def program() -> str | None:
    """The path of nginx; Debian installs it in a folder that is only in root's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def origin(folder: Path, port: int, files: Path) -> Iterator[int]:
    """Serve static files through sendfile; the process id."""
    with _nginx("origin", folder, port, "", f"root {files};") as pid:
        yield pid


@contextmanager
def proxy(
    name: str, folder: Path, port: int, origin: int, buffers: str = "", server: str = ""
) -> Iterator[int]:
    """`proxy_pass` with keep-alive connections to the port `origin`; `server` adds locations."""
    http = _PROXY.format(address=ADDRESS, origin=origin, buffers=buffers)
    with _nginx(
        name, folder, port, http, f"location / {{ proxy_pass http://files; }}\n{server}"
    ) as p:
        yield p


@contextmanager
def _nginx(name: str, folder: Path, port: int, http: str, server: str) -> Iterator[int]:
    # Workers of a root process become "nobody", who may not read the temporary folder.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    configuration = folder / f"{name}.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            user=user,
            folder=folder,
            name=name,
            address=ADDRESS,
            port=port,
            http=http,
            server=server,
        )
    )
    command = [program() or "nginx", "-p", folder, "-e", "stderr", "-c", configuration]
    with listening(name, command, port, folder) as pid:
        yield pid
