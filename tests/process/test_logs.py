"""Lines of the log: one for each record, whatever strangers send."""

import logging

import pytest

from portal.process.logs import Formatter
from tests.support.running import ask


def line(message, name="portal.test", error=None):
    info = (type(error), error, None) if error else None
    return Formatter().format(logging.LogRecord(name, 20, "", 0, message, None, info))


@pytest.mark.parametrize(
    "character",
    ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066",
     "\u200b", "\ufeff", "\ud800", "\U000e0041", "\t"],
)  # fmt: skip
def test_control_characters_are_escaped(character):
    written = line(f"GET /{character}INFO portal.access: GET / 200")
    assert character not in written
    assert ascii(character)[1:-1] in written
    assert len(written.splitlines()) == 1
    traced = line("failed", error=ValueError(f"a{character}2026-01-01 INFO portal.access: GET /"))
    assert all(each.startswith("  ") for each in traced.splitlines()[1:])
    assert character == "\n" or character not in traced
    assert "Größe 東京" in line("Größe 東京")


def test_no_address_writes_a_line_of_its_own(portal):
    before = len(portal.log().splitlines())
    for path in ("/%0aINFO", "/downloads/%e2%80%a8x", "/catalog/%1b%5b2J", "/%c2%85x"):
        ask(portal.url + path)
    for written in portal.log().splitlines()[before:]:
        assert written.startswith("20"), written
