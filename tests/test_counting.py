"""The classification of a request for an asset, as a table of cases."""

import pytest

from portal.counting import Classification, classify, file_size

WHOLE, PART, PROBE, HEAD, NOT_MODIFIED, FAILED, _ = Classification
MIB = 1 << 20


@pytest.mark.parametrize(
    ("method", "requested", "status", "size", "expected"),
    [
        ("GET", None, 200, MIB, WHOLE),
        ("GET", None, 200, None, WHOLE),
        ("HEAD", None, 200, MIB, HEAD),
        ("HEAD", "bytes=0-0", 206, MIB, HEAD),
        ("HEAD", None, 404, None, HEAD),
        ("GET", None, 304, None, NOT_MODIFIED),
        ("GET", "bytes=0-", 304, None, NOT_MODIFIED),
        ("GET", None, 404, None, FAILED),
        ("GET", None, 412, None, FAILED),
        ("GET", f"bytes={MIB}-", 416, None, FAILED),
        ("GET", None, 500, None, FAILED),
        # a part, even when it covers everything or the upstream sent all of it
        ("GET", "bytes=0-", 206, MIB, PART),
        ("GET", f"bytes=0-{MIB - 1}", 206, MIB, PART),
        ("GET", "bytes=5000-", 206, MIB, PART),
        ("GET", "bytes=0-524287", 206, MIB, PART),
        ("GET", "bytes=5000-", 200, MIB, PART),  # If-Range did not match
        ("GET", "bytes=0-1024", 206, MIB, PART),
        ("GET", "bytes=0-511,1024-2047", 206, MIB, PART),
        ("GET", "bytes=0-1,500-", 206, MIB, PART),
        ("GET", "bytes=0-99", 206, 100, PART),  # all of a small file
        ("GET", "bytes=abc", 200, MIB, PART),
        ("GET", f"bytes=0-{'9' * 5000}", 200, MIB, PART),
        ("GET", "lines=0-5", 200, MIB, PART),
        # somebody looking
        ("GET", "bytes=0-0", 206, MIB, PROBE),
        ("GET", "bytes=0-1023", 206, MIB, PROBE),
        ("GET", "bytes=0-1023", 200, MIB, PROBE),
        ("GET", "bytes=0-1023", 206, None, PROBE),
        ("GET", "bytes=-500", 206, MIB, PROBE),
        ("GET", f"bytes=-{MIB}", 206, MIB, PROBE),
        ("GET", "bytes=0-1,-1", 206, MIB, PROBE),
        ("GET", "bytes=0-99, 200-299", 206, MIB, PROBE),
        ("GET", "Bytes = 0-99", 206, MIB, PROBE),
        ("GET", "bytes=9-0", 200, MIB, PROBE),
        ("GET", "bytes=0-9", 206, 100, PROBE),
    ],
)
def test_classify(method, requested, status, size, expected):
    assert classify(method, requested, status, size) is expected


@pytest.mark.parametrize(
    ("content_range", "content_length", "status", "expected"),
    [
        ("bytes 0-9/100", "10", 206, 100),
        ("bytes 0-9/*", "10", 206, None),
        (None, "10", 206, None),
        (None, "10", 200, 10),
        (None, None, 200, None),
        (None, "many", 200, None),
        (None, "9" * 5000, 200, None),
        (f"bytes 0-9/{'9' * 5000}", "10", 206, None),
    ],
)
def test_file_size(content_range, content_length, status, expected):
    assert file_size(content_range, content_length, status) == expected
