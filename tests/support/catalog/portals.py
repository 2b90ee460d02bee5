"""Folders of tables for tests, whole and broken, and a portal that shows one."""

import json
import os
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from tests.support.running import TOKEN, RunningPortal, ask

NOWHERE = "http://127.0.0.1:9"  # a GitLab that is never there
PATIENCE = 40  # seconds; a new version is seen after ten


def table(*names, **head):
    """A table's file with rows of these names."""
    rows = [{"Name": name, "Kind": f"kind of {name}"} for name in names]
    return encoded(
        {"RowStruct": "/Script/Test.Row", "Defaults": {"Kind": ""}, **head, "Rows": rows}
    )


def encoded(document):
    """A table's file."""
    return json.dumps(document, indent="\t").replace("\n", "\r\n").encode()


def write(folder, files):
    """Files by their paths below a folder; a value that is a Path makes a symbolic link to it."""
    for name, content in files.items():
        path = Path(os.fsdecode(os.fsencode(folder))) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    return folder


class CatalogPortal(RunningPortal):
    """A portal over a folder of versions; without rights that only root has, where `plain`."""

    def __init__(self, directory, folder, *, plain=False, processes=1):
        directory.mkdir(parents=True, exist_ok=True)
        environ = {"CATALOG_DIR": str(folder)}
        super().__init__(directory, NOWHERE, processes=processes, environ=environ)
        if plain and os.geteuid() == 0:
            without = "--bounding-set=-dac_override,-dac_read_search"
            self.command = ["setpriv", without, "--", *self.command]
        self.index = self.data_dir / "catalog.sqlite3"

    def get(self, *segments, **query):
        """Status and text of an address of the catalog, each segment encoded."""
        fields = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        path = "/".join(["/catalog", *(quote(each, safe="") for each in segments)])
        return self.ask(f"{path}{'?' if fields else ''}{fields}")

    def ask(self, path):
        """Status and text of a path, sent as it is."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", path, headers={"Accept": "text/html"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def json(self, *segments, **query):
        """The document at an address that answers."""
        status, body = self.get(*segments, format="json", **query)
        assert status == 200, body
        return json.loads(body)

    def names(self, *segments):
        """The names of a table's rows, in order; None where there is no such table."""
        status, body = self.get(*segments, format="json")
        assert status in (200, 404), body
        return [row.get("Name") for row in json.loads(body)["Rows"]] if status == 200 else None

    def said(self):
        """The log without who asked for what."""
        lines = self.log().splitlines()
        asked = ("portal.access", "portal.web", "portal.listings")
        return "\n".join(line for line in lines if not any(name in line for name in asked))

    def until(self, seen, seconds=PATIENCE):
        """Wait until something is so."""
        give_up = time.monotonic() + seconds
        while not seen():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < give_up, self.said()
            time.sleep(0.1)

    def ready(self, *versions):
        """Wait until all of these are shown."""
        for version in versions:
            self.until(lambda version=version: self.get(version)[0] == 200)
        return self

    def problems(self):
        """What the operator's page says is wrong: pairs of a path and a sentence."""
        status, _, body = ask(f"{self.url}/metrics?format=json", Authorization=f"Bearer {TOKEN}")
        assert status == 200
        found = json.loads(body)["house"]["catalog"]["problems"]
        return [(each["path"], each["sentence"]) for each in found]
