"""What somebody sees who looks while the index is being changed."""

import asyncio
import socket
from contextlib import contextmanager

import pytest

from portal.catalog import files, indexing, library, refresh
from portal.catalog.library import Library
from portal.catalog.queries import parse
from portal.catalog.rows import row_page
from portal.catalog.search import search
from portal.errors import Unavailable
from tests.support.catalog.tables import TableSet, document, link

OLD = document(("Hare", {"Near": link("T", "Hare")}))
ROWS = [(f"Hare_{number}", {"Near": link("T", "Hare")}) for number in range(50)]
MORE = document(*ROWS, ("Hare", {"Near": link("T", "Hare"), "Health": 2}))


@contextmanager
def opened(tables):
    """A library that is read from several times, as a portal's is."""
    opened = Library(tables.index)
    try:
        yield lambda work: asyncio.run(opened.read(work))
    finally:
        opened.close()


def known(tables):
    return tables.read(lambda catalog: [version.name for version in catalog.versions])


def dataset(catalog):
    return catalog.dataset(catalog.version("1"))


def found(catalog):
    return [
        hit.name for hit in search(catalog, dataset(catalog), parse("hare"), "", 1).groups[0].hits
    ]


def seen(catalog):
    page = row_page(catalog, "1", "A", "T", "Hare")
    return page.item.body.get("Health"), page.referrer_count, len(page.links)


LOOKS = [(found, ["Hare"]), (seen, (None, 1, 1))]


@pytest.mark.parametrize(("look", "expected"), LOOKS)
def test_rows_of_a_version_that_is_half_read_are_not_there(tmp_path, monkeypatch, look, expected):
    """They have numbers which nothing that is kept in memory knows."""
    tables = TableSet(tmp_path).put("1", A__T=OLD, A__U=document()).run()
    with opened(tables) as read:
        assert read(look) == expected
        tables.put("2", A__T=MORE, A__U=document()).run_halfway(monkeypatch)
        assert read(lambda catalog: catalog.progress()[0].done) == 1
        assert read(look) == expected


def test_a_download_of_rows_that_have_gone_breaks_off(tmp_path, monkeypatch):
    """Rather than to go on with others, which were given their numbers."""
    monkeypatch.setattr(library, "PIECE", 10)
    tables = TableSet(tmp_path).put("1", A__T=MORE).run()

    async def download():
        opened = Library(tables.index)
        try:
            whole = await opened.read(lambda c: files.whole(c, dataset(c).entries[0]))
            pieces = files.table_json(opened, whole)
            begun = [await anext(pieces), await anext(pieces)]
            tables.put("1", A__T=document(*ROWS[:9])).run()
            tables.put("1", A__T=document(*((f"Owl_{n}", {}) for n in range(90)))).run()
            with pytest.raises(Unavailable):
                begun.extend([piece async for piece in pieces])
            return "".join(begun)
        finally:
            opened.close()

    text = asyncio.run(download())
    assert "Hare_9" in text
    assert "Owl" not in text


def test_a_file_that_cannot_be_sent_to_its_end_does_not_look_whole(start_portal, tmp_path):
    """Its client sees the connection break, and not the end of the chunks."""
    rows = ((f"Row_{number}", {"Text": "x" * 1000}) for number in range(4000))
    tables = TableSet(tmp_path).put("1", A__T=document(*rows))
    with tables.served(start_portal, "1") as portal, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        client.settimeout(20)
        client.connect(("127.0.0.1", portal.port))
        client.sendall(b"GET /catalog/1/A/T?format=json HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = client.recv(1 << 10)
        tables.put("1", A__T=document(("Other", {})))
        indexing.run(tables.root, portal.data_dir / "catalog.sqlite3")
        while piece := client.recv(1 << 16):
            answer += piece
        log = portal.log()
    assert b"200 OK" in answer
    assert b"Row_0" in answer
    assert b"Row_3999" not in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert "Traceback" not in log


def test_a_look_that_ends_in_an_error_is_not_the_last(tmp_path, monkeypatch, caplog):
    tables = TableSet(tmp_path).put("1", A__T=OLD)
    real, looks = refresh.look, []

    def fails_once(folder):
        looks.append(folder)
        if len(looks) == 1:
            raise RuntimeError("on purpose")
        return real(folder)

    async def follow():
        task = refresh.RefreshTask(tables.root, tables.index)
        task.start()
        for _ in range(400):
            if await asyncio.to_thread(known, tables):
                break
            await asyncio.sleep(0.05)
        await task.stop()

    monkeypatch.setattr(refresh, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(refresh, "look", fails_once)
    asyncio.run(follow())
    assert known(tables) == ["1"]
    assert "on purpose" in caplog.text
