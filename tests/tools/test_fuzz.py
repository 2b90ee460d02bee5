"""Twenty thousand mutated files, sent as players send theirs: marked, since it takes minutes.

make test ARGS="-m long"
"""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.saves.test_fuzz import EDITS, mutated_files

FILES = 20_000
SENDERS = 4
SECONDS = 5  # the longest that any answer may take
MOST_WORKERS = 2
BOUNDARY = "fuzz"


class Sender:
    """One connection that is kept; a new client every ten files, for the sake of their limit."""

    def __init__(self, portal, number):
        self.connection = HTTPConnection("127.0.0.1", portal.port, timeout=30)
        self.number = number
        self.sent = 0
        self.statuses = Counter()
        self.slowest = 0.0

    def ask(self, method, path, body=None, kind=None):
        client = f"10.{self.number}.{self.sent // 2560}.{self.sent // 10 % 256}"
        headers = {"X-Forwarded-For": client, "Accept": "application/json"}
        if kind:
            headers["Content-Type"] = kind
        began = time.monotonic()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[answer.status] += 1
        assert answer.status < 500, (path, content)
        return answer.status, content

    def send(self, tool, content):
        """Upload one; where it is taken, look at it, edit it, and take it back."""
        form = (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
            'name="file"; filename="save.json"\r\n\r\n'
        ).encode()
        body = form + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        status, said = self.ask(
            "POST", f"/{tool}", body, f"multipart/form-data; boundary={BOUNDARY}"
        )
        self.sent += 1
        if status != 201:
            assert json.loads(said)["error"]
            return
        place = f"/{tool}/{json.loads(said)['id']}"
        edits = {"version": 0, "edits": EDITS[tool][:1]}
        self.ask("GET", place)
        self.ask("POST", f"{place}/edit", json.dumps(edits), "application/json")
        self.ask("GET", f"{place}/download")


def send_all(portal, number):
    sender = Sender(portal, number)
    for tool, content in mutated_files(FILES // SENDERS, seed=number):
        sender.send(tool, content)
    sender.connection.close()
    return sender


def workers_of(pid):
    """The processes below one that parse saves."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"portal.workers.child" in command]


@pytest.mark.long
def test_no_file_brings_the_portal_down(start_portal, record_testsuite_property):
    with start_portal() as portal:
        with ThreadPoolExecutor(SENDERS) as threads:
            senders = list(threads.map(lambda n: send_all(portal, n), range(SENDERS)))
        statuses = sum((sender.statuses for sender in senders), Counter())
        slowest = max(sender.slowest for sender in senders)
        record_testsuite_property("answers", f"{dict(statuses)}, slowest {slowest:.2f} s")
        assert slowest < SECONDS
        assert statuses[422] > FILES // 2
        assert statuses[201] > FILES // 100
        assert len(workers_of(portal.process.pid)) <= MOST_WORKERS
        (rows,) = portal.rows("select count(*) from tool_usage where event = 'upload'")
        assert rows == (statuses[201],)
        assert any((portal.data_dir / "uploads").iterdir())
        assert "Traceback" not in portal.log()
