"""Programs that download, what each does, and how many rows this makes.

The rule: a GET without Range always counts; with one it counts unless the same client was at the
same file within ten minutes; a suffix, or at most 1,024 bytes, never counts, nor does HEAD or 304.
"""

import asyncio
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.support.browser.chromium import browsing
from tests.support.clients.visits import BIG, Client

CURL = "curl -sS -o {out} -H {header} "
WGET = "wget -q -O {out} --header {header} "
ARIA = "aria2c -q --header {header} -d / -o {out} "
SIXTEEN = ARIA + "-x 16 -s 16 -k 1M "
PART = 1 << 20
SIZE = 8 << 20


def each(*commands):
    """A visit of these commands, one after the other, that ends with the whole file."""

    def does(visit):
        for command in commands:
            visit.run(command)
        visit.whole()

    return does


def only(*commands, status=0):
    """A visit that is about no whole file."""
    return lambda visit: [visit.run(command, status=status) for command in commands]


def resumed(first, then):
    """A visit that is killed in the middle, and goes on."""

    def does(visit):
        visit.broken(first)
        visit.run(then)
        visit.whole()

    return does


def together(count, command):
    """So many of them at the same time from one address."""
    return lambda visit: visit.at_once(count, command)


def cut(command):
    """A visit whose connection ends after a megabyte, once."""

    def does(visit):
        with visit.through_proxy(cuts=1):
            visit.run(command)
        visit.whole()

    return does


def lftp(visit):
    with visit.through_proxy():
        commands = f"set cmd:fail-exit yes; pget -n 4 {visit.url + BIG} -o {visit.out}"
        subprocess.run(["lftp", "-c", commands], check=True, timeout=60, cwd=visit.directory)
    visit.whole()


def urllib_parts(visit):
    content = b""
    for start in range(0, SIZE, SIZE // 4):
        fields = {
            "X-Forwarded-For": visit.client,
            "Range": f"bytes={start}-{start + SIZE // 4 - 1}",
        }
        asked = urllib.request.Request(visit.url + BIG, headers=fields)
        with urllib.request.urlopen(asked) as answer:
            content += answer.read()
    visit.out.write_bytes(content)
    visit.whole()


def urllib_head(visit):
    fields = {"X-Forwarded-For": visit.client}
    asked = urllib.request.Request(visit.url + BIG, headers=fields, method="HEAD")
    urllib.request.urlopen(asked).close()


def session(visit):
    made = requests.Session()
    made.headers["X-Forwarded-For"] = visit.client
    return made


def requests_resume(visit):
    with session(visit) as client, visit.out.open("wb") as out:
        with client.get(visit.url + BIG, stream=True) as answer:
            out.write(answer.raw.read(PART))  # and leaves
        answer = client.get(visit.url + BIG, headers={"Range": f"bytes={PART}-"})
        assert answer.status_code == 206
        out.write(answer.content)
    visit.whole()


def requests_ranges(visit):
    def part(number):
        fields = {"Range": f"bytes={number * PART}-{number * PART + PART - 1}"}
        with session(visit) as client:
            return client.get(visit.url + BIG, headers=fields).content

    with ThreadPoolExecutor(8) as threads:
        visit.out.write_bytes(b"".join(threads.map(part, range(8))))
    visit.whole()


def requests_again(visit):
    with session(visit) as client:
        answer = client.get(visit.url + BIG)
        visit.out.write_bytes(answer.content)
        same = {"If-None-Match": answer.headers["ETag"]}
        assert client.get(visit.url + BIG, headers=same).status_code == 304
        assert client.head(visit.url + BIG).status_code == 200
    visit.whole()


def chromium(clicks, cuts=0):
    """A visitor who looks at the page of a project and clicks at the file."""

    async def visits(visit):
        async with browsing(visit.directory) as page:
            for _ in range(clicks):
                await page.go(visit.url + "/downloads/pets")
                page.events.clear()
                await page.click(f'a[href="{BIG}"]')
                await page.downloaded()

    def does(visit):
        with visit.through_proxy(cuts):
            asyncio.run(visits(visit))
        visit.out = visit.directory / "downloads" / BIG.rpartition("/")[2]
        visit.whole()

    return does


CLIENTS = (
    Client("curl", each(CURL + "{big}"), "one GET of the whole", 1),
    Client("curl -I", only("curl -sS -I -H {header} {big}"), "HEAD moves no file"),
    Client("curl -r, a look", only(CURL + "-r 0-99 {big}"), "at most 1,024 bytes are a probe"),
    Client("curl -r, the end", only(CURL + "-r -500 {big}"), "a suffix is a probe"),
    Client("curl -r, a part", only(CURL + "-r 0-4999999 {big}"), "the first part counts", 1),
    Client(
        "curl -r, part by part",
        only(*(CURL + f"-r {n * PART}-{n * PART + PART - 1} {{big}}" for n in range(8))),
        "the parts that follow are of the same download",
        1,
    ),
    Client(
        "curl -C -",
        resumed(CURL + "{big}", CURL + "-C - {big}"),
        "the resume is a part within the window",
        1,
    ),
    Client(
        "curl -C - of a whole file",
        each(CURL + "{big}", CURL + "-C - {big}"),
        "what begins at the end is answered 416",
        1,
    ),
    Client("curl --compressed", each(CURL + "--compressed {big}"), "still one GET", 1),
    Client(
        "curl -z, not changed since",
        each(CURL + "-R {big}", CURL + "-z {out} {big}"),
        "the second is answered 304",
        1,
    ),
    Client("curl -z, changed since", each(CURL + "-z 1990-01-01 {big}"), "answered in full", 1),
    Client(
        "curl -L latest",
        each(CURL + "-L {url}/downloads/pets/latest/pets-2.1.0-soak.bin"),
        "the redirect to the version is no download",
        1,
    ),
    Client(
        "curl --retry",
        cut(CURL + "--retry 1 --retry-all-errors --retry-delay 1 {big}"),
        "it asks for the whole file again",
        2,
    ),
    Client("3 curls at once", together(3, CURL + "{big}"), "each asks for the whole file", 3),
    Client("wget", each(WGET + "{big}"), "one GET of the whole", 1),
    Client("wget --spider", only(WGET + "--spider {big}"), "HEAD moves no file"),
    Client(
        "wget -c",
        resumed(WGET + "{big}", WGET + "-c {big}"),
        "the resume is a part within the window",
        1,
    ),
    Client(
        "wget -c of a whole file",
        each(WGET + "{big}", WGET + "-c {big}"),
        "what begins at the end is answered 416",
        1,
    ),
    Client("wget, cut off", cut(WGET + "--tries=3 {big}"), "it goes on by itself, with a range", 1),
    Client("3 wgets at once", together(3, WGET + "{big}"), "each asks for the whole file", 3),
    Client("aria2c -x 16", each(SIXTEEN + "{big}"), "one GET, and parts of the same", 1),
    Client(
        "aria2c -c",
        resumed(ARIA + "{big}", ARIA + "-c {big}"),
        "it asks for the whole file again before it asks for the rest",
        2,
    ),
    Client("2 aria2c -x 16 at once", together(2, SIXTEEN + "{big}"), "each begins with a whole", 2),
    Client("axel -n 8", each("axel -q -n 8 -H {header} -o {out} {big}"), "eight parts of one", 1),
    Client("axel -n 1", each("axel -q -n 1 -H {header} -o {out} {big}"), "two parts of one", 1),
    Client("lftp pget", lftp, "one GET, and parts of the same", 1),
    Client("Chromium", chromium(1), "the page is none, the click is one", 1),
    Client(
        "Chromium, twice",
        chromium(2),
        "it asks whether its copy is still good: 304 moves no file",
        1,
    ),
    Client("Chromium, cut off", chromium(1, cuts=1), "it goes on by itself, with a range", 1),
    Client("urllib, part by part", urllib_parts, "four parts of one download", 1),
    Client("urllib, HEAD", urllib_head, "HEAD moves no file"),
    Client("requests, resumed", requests_resume, "the resume is a part within the window", 1),
    Client("requests, 8 ranges at once", requests_ranges, "eight parts of one download", 1),
    Client("requests, again", requests_again, "the second is answered 304, then HEAD", 1),
)
