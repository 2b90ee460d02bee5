"""Retry-After: both forms of RFC 9110, one cap, and what is neither form."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from portal.http.retry_after import MAX_SECONDS, seconds_to_wait


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("3600", 3600),
        ("3601", MAX_SECONDS),
        ("9" * 5000, MAX_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 -2300", MAX_SECONDS),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("1e9", None),
        ("٣", None),  # a digit, but not one of HTTP
        ("inf", None),
        ("later", None),
    ],
)
def test_seconds_to_wait(value, seconds):
    assert seconds_to_wait(value) == seconds


def test_a_date_ahead_is_the_time_until_then():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert seconds_to_wait(date) == pytest.approx(90, abs=5)
