"""The audit of what is locked, against an advisory service over a real socket."""

import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.running import ROOT

ADVISORY = {
    "id": "PYSEC-2030-1",
    "summary": "invented",
    "affected": [
        {
            "package": {"name": "tornado", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


@pytest.fixture
def service():
    """An advisory service in the form of OSV's, that knows `advisories` by package."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = self.server.advisories.get(asked["package"]["name"])
            body = json.dumps({"vulns": [found]} if found else {}).encode()
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.advisories, server.status = {}, 200
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def audit(port, home):
    """Run the audit; its status and what it says."""
    command = [sys.executable, ".ci/audit.py", "-s", "osv"]
    command += ["--osv-url", f"http://127.0.0.1:{port}/v1/query", "--cache-dir", str(home)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_a_known_vulnerability_fails(service, tmp_path):
    service.advisories["tornado"] = ADVISORY
    status, said = audit(service.server_port, tmp_path)
    assert status == 1
    assert "PYSEC-2030-1, fixed in 99.0" in said


def test_none_is_known(service, tmp_path):
    status, said = audit(service.server_port, tmp_path)
    assert (status, "0 findings" in said) == (0, True)
    assert "NOTHING" not in said


def test_a_service_that_fails_is_said_and_is_no_finding(service, tmp_path):
    service.status = 500
    status, said = audit(service.server_port, tmp_path)
    assert (status, "NOTHING WAS AUDITED" in said) == (0, True)


def test_a_service_that_is_not_there_is_said_and_is_no_finding(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        status, said = audit(closed.getsockname()[1], tmp_path)
    assert (status, "NOTHING WAS AUDITED" in said) == (0, True)
