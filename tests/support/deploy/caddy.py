"""Debian's Caddy with the Caddyfile that is shipped, on the loopback, and what stands behind it."""

import json
import os
import socket
import subprocess
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.programs import needs
from tests.support.running import ROOT, curl, parsed

CADDYFILE = ROOT / "systemd/Caddyfile"
START_SECONDS = 20
# An operator's address and its password, whose hash Caddy is given (bcrypt, of the least cost).
OPERATOR, PASSWORD = "127.0.0.2", "operator:geheim"
PASSWORD_HASH = "$2b$04$Qzd.C1EUIebTQzalgMpGoOqk0MORIkrTjMaYKrigRlW3z/AmzQXdu"
COOKIE = "0123456789abcdef0123456789abcdef"
VISITOR = "127.0.0.9"

needs_caddy = needs("caddy")


def free_port():
    """A port that nobody has at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peak_memory(pid):
    """The most that a process has had resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


class RunningCaddy:
    """The shipped Caddyfile, told by its environment alone; a context."""

    def __init__(self, directory, portal, umami="127.0.0.1:9"):
        self.directory = directory
        self.http, self.https = free_port(), free_port()
        self.url = f"https://localhost:{self.https}"
        self.authority = directory / "caddy/pki/authorities/local/root.crt"
        self.log_file = directory / "log"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "XDG_DATA_HOME": str(directory),
            "XDG_CONFIG_HOME": str(directory),
            "CADDY_ADMIN": f"unix/{directory}/admin.sock",
            "HTTP_PORT": str(self.http),
            "HTTPS_PORT": str(self.https),
            "PORTAL_SITE": "localhost",
            "PORTAL_UPSTREAM": portal,
            "UMAMI_UPSTREAM": umami,
            "UMAMI_ALLOWED": f"{OPERATOR} 127.0.0.3",
            "UMAMI_USER": PASSWORD.partition(":")[0],
            "UMAMI_PASSWORD_HASH": PASSWORD_HASH,
            "UMAMI_COOKIE": COOKIE,
        }

    def __enter__(self):
        command = ["caddy", "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while "certificate obtained successfully" not in self.log():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def flags(self, address=VISITOR):
        """What curl needs: where it comes from, whom it trusts, where the name is."""
        resolved = f"localhost:{self.https}:127.0.0.1"
        return ["--interface", address, "--cacert", str(self.authority), "--resolve", resolved]

    def curl(self, path, *arguments, address=VISITOR, **options):
        """Run curl on a path; its standard output. It claims to come from 198.51.100.1."""
        return curl(*self.flags(address), *arguments, self.url + path, **options)

    def ask(self, path, *arguments, address=VISITOR):
        """Status, headers and body of one request."""
        return parsed(self.curl(path, "-D", "-", *arguments, address=address))

    def log(self):
        """All that it has printed."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def entries(self):
        """Its log, as objects."""
        return [json.loads(line) for line in self.log().splitlines()]

    def peak_memory(self):
        """The most that it has had resident, in bytes."""
        return peak_memory(self.process.pid)


SHARE_PAGE = b"""<!doctype html><title>share</title><p>waiting</p>
<img src="https://icons.example/favicon.ico" alt="">
<script>
fetch("/umami/api/websites", {headers: {authorization: "Bearer null", "x-umami-share-token": "t"}})
  .then(answer => { document.querySelector("p").textContent = "called " + answer.status; });
</script>""".ljust(600)  # what is shorter is not worth compressing


class Upstream(ThreadingHTTPServer):
    """Remembers what it is asked (`asked`: method, path, headers as pairs), and answers as Umami's
    pages do: with its own policy, scripts in the page, and calls of its own."""

    daemon_threads = True

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), UpstreamHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        # Closed alone, its thread would spin over whatever descriptor gets the number next.
        self.shutdown()
        self.server_close()

    @property
    def address(self):
        """host:port."""
        return f"127.0.0.1:{self.server_port}"

    def headers(self, name):
        """The values of a header in the last request."""
        return [value for key, value in self.asked[-1][2] if key.lower() == name.lower()]


class UpstreamHandler(BaseHTTPRequestHandler):
    """One request of `Upstream`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """A page, or JSON under /umami/api."""
        self.server.asked.append((self.command, self.path, self.headers.items()))
        body = b"{}" if "/api/" in self.path else SHARE_PAGE
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/html" if body is SHARE_PAGE else "application/json")
        self.send_header("Content-Security-Policy", "img-src 'self' https:; frame-ancestors 'none'")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_):
        """Print nothing."""
