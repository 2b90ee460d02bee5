"""Requests of every kind at every route: no 5xx that is not meant, no traceback, no hang.

    make test ARGS="-m long tests/http/test_fuzz.py"                       # 20,000, as CI does
    REQUESTS=100000 make test ARGS="-m long -s tests/http/test_fuzz.py"    # prints what came back

The addresses come from `handlers.ROUTES`: see `tests/support/fuzz/paths.py`. A failure names the
seed and shows the request.
"""

import os
import random
import re
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from handlers import ROUTES, analytics
from handlers.base.handler import NotFoundHandler
from tests.support.fuzz.paths import Paths, Words
from tests.support.fuzz.requests import WEBSITE, Requests
from tests.support.fuzz.wire import HangError, Wire
from tests.support.metrics import as_json
from tests.support.running import TOKEN, ask
from tests.support.saves import mounts_json, prospect_json
from tests.support.tools import opened

REQUESTS = int(os.environ.get("REQUESTS", "20000"))
SENDERS = 4
SHOWN = 1000  # bytes of a request that went wrong
FAULTS = 5  # after which a sender gives up
# Beside the routing table: what the configuration names, and everything else.
ALL = (
    *((route[0], route[1]) for route in ROUTES),
    (r"/static/umami/script\.js", analytics.TrackerHandler),
    (r"/u/api/send", analytics.CollectHandler),
    (r"/(.*)", NotFoundHandler),
)
STARTS = ("/", "/downloads", "/downloads/pets", "/downloads/prospects", "/pets", "/prospects")


def words_of(portal):
    """What there is to be asked for: pages, files, and two save files."""
    mounts = opened(portal, "pets", mounts_json({}, {"name": "Zoë"}), "10.9.9.9")
    world = opened(portal, "prospects", prospect_json(), "10.9.9.8")
    starts = [*STARTS, f"/pets/{mounts['id']}", f"/prospects/{world['id']}"]
    starts += [f"/metrics?token={TOKEN}"]
    return Words([mounts["id"], world["id"], TOKEN]).gather(portal.url, starts)


def meant(status, headers, request):
    """Whether an answer is one that a portal in good health gives."""
    if status == 501:
        return re.search(rb"/info/+lfs/", request) is not None
    return status < 500 or (status == 503 and "retry-after" in headers)


def send_all(portal, words, number, count):
    """Send so many requests; statuses, hits of each route, the slowest answer, faults."""
    chance = random.Random(number)  # noqa: S311 - the same ones every time
    paths = Paths(ALL, words, chance)
    requests, wire, statuses = Requests(paths, chance, number), Wire(portal.port), Counter()
    faults, slowest = [], (0.0, b"")
    for sent in range(count):
        method, request, whole = requests.draw()
        begun = time.monotonic()
        try:
            status, headers = wire.ask(method, request) if whole else (wire.broken(request), {})
        except HangError:
            status, headers = 999, {}
            wire.close()
        statuses[status] += 1
        slowest = max(slowest, (time.monotonic() - begun, request[:200]))
        if not meant(status, headers, request):
            faults.append(f"{status}: seed {number}, request {sent}: {request[:SHOWN]!r}")
            if len(faults) == FAULTS:
                break
    wire.close()
    return statuses, paths.hits, slowest, faults


@pytest.mark.long
def test_no_request_brings_the_portal_down(start_portal, record_testsuite_property):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{closed.getsockname()[1]}"
        umami = {"url": away, "website": WEBSITE}
        with start_portal(umami=umami, client_stall_seconds=5) as portal:
            words = words_of(portal)
            with ThreadPoolExecutor(SENDERS) as threads:
                each = REQUESTS // SENDERS
                sent = list(threads.map(lambda n: send_all(portal, words, n, each), range(SENDERS)))
            faults = [fault for *_, faults in sent for fault in faults]
            assert not faults, "\n".join(faults)
            statuses = sum((one for one, *_ in sent), Counter())
            seconds, request = max(slowest for _, _, slowest, _ in sent)
            said = f"{REQUESTS} requests: {dict(statuses.most_common())}; slowest {seconds:.1f} s"
            record_testsuite_property("answers", said)
            sys.stdout.write(f"{said}: {request!r}\n")
            assert min(sum(hits[p] for _, hits, *_ in sent) for p, _ in ALL) > REQUESTS // 200
            for status in (200, 206, 302, 304, 400, 401, 403, 404, 405, 409, 422):
                assert statuses[status], status  # or the requests are not what they should be
            assert ask(f"{portal.url}/healthz")[0] == 200
            assert as_json(portal)["house"]["transfers_running"] == 0
            assert portal.rows("pragma integrity_check") == [("ok",)]
            assert portal.stop() == 0
            lines = portal.log().splitlines()
            found = [n for n, line in enumerate(lines) if "Traceback" in line or " ERROR " in line]
            assert not found, "\n".join(lines[found[0] : found[0] + 30])
