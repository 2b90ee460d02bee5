"""Answers held against their requests: a table of what is passed on and what is refused."""

import pytest
from tornado.httputil import HTTPHeaders

from portal.errors import UpstreamFailed
from portal.relay.unasked import check_answer


def part(content_range, length=None, **more):
    fields = {"Content-Range": content_range} if content_range else {}
    return HTTPHeaders(fields | ({"Content-Length": str(length)} if length else {}) | more)


RANGE = {"Range": "bytes=5-9"}
MULTI = {"Range": "bytes=0-1,5-9"}
MULTIPART = {"Content-Type": "multipart/byteranges; boundary=x"}


@pytest.mark.parametrize(
    ("sent", "status", "headers"),
    [
        ({}, 200, part("", 5)),
        (RANGE, 200, part("", 100)),
        (RANGE, 206, part("bytes 5-9/100", 5)),
        (RANGE, 206, part("bytes 5-9/*", 5)),
        (RANGE, 206, part("bytes 5-7/8", 3)),
        ({"Range": "bytes=5-"}, 206, part("bytes 5-99/100", 95)),
        ({"Range": "bytes=-5"}, 206, part("bytes 95-99/100", 5)),
        ({"Range": "bytes=-500"}, 206, part("bytes 0-99/100", 100)),
        (MULTI, 206, part("", 300, **MULTIPART)),
        (MULTI, 206, part("bytes 0-9/100", 10)),
        ({"If-None-Match": '"a"'}, 304, part("")),
        ({"If-Modified-Since": "x"}, 304, part("")),
        ({"If-Match": '"a"'}, 412, part("")),
        (RANGE, 416, part("bytes */5")),
        ({}, 404, part("")),
        ({}, 503, part("")),
    ],
)
def test_what_is_passed_on(sent, status, headers):
    check_answer(sent, status, headers)


@pytest.mark.parametrize(
    ("sent", "status", "headers"),
    [
        ({}, 206, part("bytes 0-9/100", 10)),
        ({"If-Range": '"a"'}, 206, part("bytes 0-9/100", 10)),
        ({}, 304, part("")),
        (RANGE, 304, part("")),
        ({}, 412, part("")),
        ({}, 416, part("bytes */5")),
        (RANGE, 206, part("")),
        (RANGE, 206, part("", 5)),
        (RANGE, 206, part("", 300, **MULTIPART)),
        (RANGE, 206, part("bytes 0-4/100", 5)),
        (RANGE, 206, part("bytes 5-7/100", 3)),
        (RANGE, 206, part("bytes 5-19/100", 15)),
        (RANGE, 206, part("bytes 5-9/100", 6)),
        (RANGE, 206, part("bytes 5-9/100", "5, 5")),
        (RANGE, 206, part("bytes 5-9/8", 5)),
        (RANGE, 206, part("bytes 9-5/100", 5)),
        (RANGE, 206, part("items 5-9/100", 5)),
        ({"Range": "bytes=5-"}, 206, part("bytes 5-9/100", 5)),
        ({"Range": "bytes=5-"}, 206, part("bytes 0-99/100", 100)),
        ({"Range": "bytes=-5"}, 206, part("bytes 0-4/100", 5)),
    ],
)
def test_what_is_refused(sent, status, headers):
    with pytest.raises(UpstreamFailed, match="another part"):
        check_answer(sent, status, headers)


def test_a_part_without_a_length_gets_that_of_its_range():
    headers = part("bytes 5-9/100")
    check_answer(RANGE, 206, headers)
    assert headers["Content-Length"] == "5"
