"""What /static serves: for good under its own address, compressed, and in the site's colours."""

import gzip
import json
import re
import struct
import zlib

import pytest

from portal.config.site import COLOUR, Site
from portal.http.accept import takes_gzip
from portal.site.assets import StaticFiles
from portal.site.colours import DARK_GROUNDS, LIGHT_GROUNDS, accent, contrast, mix
from tests.support.running import ROOT, ask

RED = Site(title="Röd", accent="#c00020")


@pytest.fixture(scope="module")
def red():
    return StaticFiles(RED)


def test_an_address_changes_with_what_it_names(red, tmp_path):
    plain = StaticFiles(Site())
    assert plain.address("portal.css") == red.address("portal.css")
    for path in ("site.css", "favicon.svg", "favicon.ico", "icon-180.png", "manifest.webmanifest"):
        assert plain.address(path) != red.address(path)
    with pytest.raises(KeyError):
        red.address("none.css")


def test_every_address_of_the_templates_is_there(red):
    named = {
        path
        for template in (ROOT / "templates").rglob("*.html")
        for path in re.findall(r"static\('([^']+)'\)", template.read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert all(red.get(path) for path in named)


def test_the_colours_come_after_those_that_they_replace(red):
    sheet = red.get("site.css").content.decode()
    values = (ROOT / "static" / "values.css").read_text(encoding="utf-8")
    assert sheet.startswith(values)
    assert sheet.count("--accent: #c00020") == 1
    assert sheet.index("--accent: #c00020") > sheet.index("--accent: #0b5c8a")


@pytest.mark.parametrize(
    "colour", [COLOUR, "#000000", "#ffffff", "#ffff00", "#ff0000", "#808080", "#00ff88", "#7a3cff"]
)
def test_any_colour_can_be_read(colour):
    made = accent(colour)
    for ground in LIGHT_GROUNDS:
        assert contrast(made.light, ground) >= 4.5
        assert contrast(made.light_strong, ground) >= 4.5
    for ground in DARK_GROUNDS:
        assert contrast(made.dark, ground) >= 4.5
        assert contrast(made.dark_strong, ground) >= 4.5


def test_the_grounds_are_those_of_the_style_sheet():
    """Were one of them changed there, a colour could be unreadable on it."""
    values = (ROOT / "static" / "values.css").read_text(encoding="utf-8")
    light, dark = values.split("@media (prefers-color-scheme: dark)")
    for grounds, part in ((LIGHT_GROUNDS, light), (DARK_GROUNDS, dark)):
        for name in ("ground", "surface", "sunken", "early-ground", "bad-ground"):
            assert re.search(rf"--{name}: (#\w{{6}});", part)[1] in grounds


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_can_be_read_on_every_ground(scheme):
    values = (ROOT / "static" / "values.css").read_text(encoding="utf-8")
    light, dark = values.split("@media (prefers-color-scheme: dark)")
    named = dict(re.findall(r"--([\w-]+): (#\w{6});", light if scheme == "light" else dark))
    for text in ("ink", "quiet", "accent", "accent-strong"):
        for ground in ("ground", "surface", "sunken", "early-ground", "bad-ground"):
            assert contrast(named[text], named[ground]) >= 4.5, (text, ground)
    for own in ("good", "early", "coming", "bad"):
        assert contrast(named[own], named[f"{own}-ground"]) >= 4.5, own
        assert contrast(named[own], named["surface"]) >= 4.5, own
    for ground in ("ground", "surface", "sunken"):
        assert contrast(named["edge"], named[ground]) >= 3, ground


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48)]
)
def test_contrast_is_wcags(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert mix(one, other, 0) == one
    assert mix(one, other, 1) == other


def chunks(png):
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert crc == zlib.crc32(kind + data)
        yield kind, data
        at += 12 + length


def test_icons_have_the_colour_and_stay_pictures(red):
    for size in (32, 180, 192, 512):
        parts = dict(chunks(red.get(f"icon-{size}.png").content))
        assert struct.unpack(">II", parts[b"IHDR"][:8]) == (size, size)
        assert parts[b"PLTE"][:3] == bytes.fromhex("c00020")
        assert parts[b"PLTE"][-3:] == b"\xff\xff\xff"
    ico = red.get("favicon.ico").content
    assert ico[:6] == b"\0\0\1\0\1\0"
    assert ico[22:] == red.get("icon-32.png").content
    assert b"#c00020" in red.get("favicon.svg").content


def test_the_manifest_names_icons_that_are_there(red):
    said = json.loads(red.get("manifest.webmanifest").content)
    assert (said["name"], said["theme_color"], said["scope"]) == ("Röd", "#c00020", "/")
    for icon in said["icons"]:
        path, _, version = icon["src"].removeprefix("/static/").partition("?v=")
        assert red.get(path).version == version


def test_for_good_only_under_its_own_address(portal):
    page = ask(portal.url, Accept="text/html")[2].decode()
    address = re.search(r'rel="stylesheet" href="([^"]+)"', page)[1]
    path = address.partition("?")[0]
    status, headers, content = ask(portal.url + address)
    assert (status, headers["content-type"]) == (200, "text/css; charset=UTF-8")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["vary"] == "Accept-Encoding"
    for other in (path, f"{path}?v=0123456789abcdef", f"{path}?v="):
        status, headers, same = ask(portal.url + other)
        assert (status, headers["cache-control"], same) == (200, "no-cache", content)


def test_compressed_with_an_etag_of_its_own(portal):
    plain = ask(f"{portal.url}/static/site.css")
    packed = ask(f"{portal.url}/static/site.css", Accept_Encoding="gzip, br")
    assert packed[1]["content-encoding"] == "gzip"
    assert gzip.decompress(packed[2]) == plain[2]
    assert len(packed[2]) < len(plain[2]) / 2
    assert packed[1]["etag"] != plain[1]["etag"]
    for _, headers, _ in (plain, packed):
        more = {"Accept_Encoding": "gzip"} if "content-encoding" in headers else {}
        again = ask(f"{portal.url}/static/site.css", If_None_Match=headers["etag"], **more)
        assert (again[0], again[1]["etag"], again[2]) == (304, headers["etag"], b"")
    other = ask(f"{portal.url}/static/site.css", If_None_Match=packed[1]["etag"])
    assert other[0] == 200


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("", False),
        ("identity", False),
        ("x-gzip", True),
    ],
)
def test_who_takes_gzip(header, takes):
    assert takes_gzip(header) is takes


@pytest.mark.parametrize(
    "path",
    [
        "/static/none.css",
        "/static/",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/%00",
    ],
)
def test_there_is_nothing_else(portal, path):
    assert ask(portal.url + path, Accept="text/html")[0] == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/favicon.ico", "image/x-icon"), ("/manifest.webmanifest", "application/manifest+json")],
)
def test_what_everybody_looks_for(portal, path, kind):
    status, headers, body = ask(portal.url + path)
    assert (status, headers["content-type"]) == (200, kind)
    assert body
    assert ask(portal.url + path, If_None_Match=headers["etag"])[0] == 304
