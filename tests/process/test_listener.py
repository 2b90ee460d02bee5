"""No descriptor is left: who waits is answered later, and the log stays short."""

import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.process.test_stopping import children
from tests.support.files import BIG, SMALL
from tests.support.running import no_descriptors


@pytest.mark.parametrize("processes", [1, 2])
def test_who_waits_is_accepted_later(start_portal, processes):
    with start_portal(processes=processes) as portal:
        until = time.monotonic() + 20
        while portal.log().count("serving on") < processes and time.monotonic() < until:
            time.sleep(0.05)
        pids = [portal.process.pid] if processes == 1 else children(portal.process.pid)
        with closing(HTTPConnection("127.0.0.1", portal.port, timeout=20)) as waiting:
            with no_descriptors(*pids):
                waiting.request("GET", "/healthz")
                time.sleep(1)
            assert waiting.getresponse().read()
        assert 1 <= portal.log().count("no connection can be accepted") <= processes
        assert "Traceback" not in portal.log()
        assert portal.stop() == 0


def test_a_file_that_cannot_be_asked_for(start_portal):
    with (
        start_portal() as portal,
        closing(HTTPConnection("127.0.0.1", portal.port, timeout=20)) as connection,
    ):
        connection.request("GET", SMALL)  # what is listed is known by then
        assert connection.getresponse().read()
        with no_descriptors(portal.process.pid):
            connection.request("GET", BIG)  # of the object store, to which no connection is open
            assert connection.getresponse().read().startswith(b"The upstream server cannot be")
        connection.request("GET", BIG)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        assert "Traceback" not in portal.log()
