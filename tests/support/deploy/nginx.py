"""Debian's nginx with the configuration that is shipped as an example, on the loopback."""

import os
import re
import subprocess
import time
from pathlib import Path

from tests.support.deploy.caddy import START_SECONDS, RunningCaddy, free_port, peak_memory
from tests.support.programs import find, needs
from tests.support.running import ROOT

EXAMPLE = ROOT / "systemd/nginx.conf.example"
NAME = "downloads.example.com"


def program():
    """Where nginx is; Debian puts it where only root's PATH leads."""
    return find("nginx")


needs_nginx = needs("nginx", "openssl")
# What Debian's /etc/nginx/nginx.conf says around a site, with places that a test may write to. Its
# `gzip on` and its log with addresses are what a site must bear.
MAIN = """
{user}
worker_processes 1;
daemon off;
pid {directory}/pid;
error_log {directory}/main.error.log;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    access_log {directory}/main.access.log;
    gzip on;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site;
}}
"""


def replaced(text, changes):
    """The example with a machine's places in it; each of them must be there."""
    for pattern, value in changes.items():
        text, count = re.subn(pattern, str(value), text)
        assert count, pattern
    return text


class RunningNginx(RunningCaddy):
    """nginx before a portal (host:port), for the name localhost; a context."""

    def __init__(self, directory, portal):
        self.directory = directory
        self.http, self.https = free_port(), free_port()
        self.url = f"https://localhost:{self.https}"
        self.authority = directory / "certificate.pem"
        self.log_file = directory / "log"
        key = directory / "key.pem"
        text = replaced(
            EXAMPLE.read_text(encoding="utf-8"),
            {
                r"listen \[::\]:\d+[^;]*;": "",
                r"listen 80;": f"listen 127.0.0.1:{self.http};",
                r"listen 443 ": f"listen 127.0.0.1:{self.https} ",
                r"/etc/letsencrypt/\S+/fullchain\.pem": self.authority,
                r"/etc/letsencrypt/\S+/privkey\.pem": key,
                r"/var/log/nginx/": f"{directory}/",
                re.escape(NAME): "localhost",
                r"127\.0\.0\.1:8000": portal,
            },
        )
        (directory / "site").write_text(text, encoding="utf-8")
        user = "user root;" if os.geteuid() == 0 else ""
        (directory / "nginx.conf").write_text(MAIN.format(user=user, directory=directory))
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", str(key), "-out", str(self.authority)),
            ],
            check=True,
            capture_output=True,
        )

    def __enter__(self):
        command = [program(), "-p", self.directory, "-e", "stderr"]
        command += ["-c", self.directory / "nginx.conf"]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not (self.directory / "pid").exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def logs(self):
        """All that it has written to its logs, its own and the site's."""
        return "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in (self.log_file, *self.directory.glob("*.log"))
        )

    def peak_memory(self):
        """The most that one of its processes has had resident, in bytes; its worker has it all."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return max(peak_memory(pid) for pid in children.split())
