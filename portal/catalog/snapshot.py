"""The catalog at one moment: what each version, table and row holds, read from one snapshot."""

import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

from portal.catalog.addresses import address
from portal.catalog.model import (
    Dataset,
    IndexCache,
    Progress,
    RowIndex,
    StoredRow,
    TableEntry,
    Version,
)
from portal.catalog.naming import near
from portal.catalog.values import Value, compact
from portal.errors import NotFound, Unavailable
from portal.suggestions import Place
from sql.catalog.writing import DIGEST, unpacked
from sql.reader import Row, Snapshot

READ = 2000  # rows that one statement reads
# What SQLite's path of a JSON field can have between its quotes, and what stands so in a body.
_PLAIN = re.compile(r"[ !#-\[\]-~]+")


class Catalog:
    """The catalog as it is at one moment; of use only in the call that it was given to.

    Lists of rows are `array`s of their numbers. Its errors are sentences for who asked.
    """

    def __init__(self, snapshot: Snapshot, cache: IndexCache) -> None:
        self._snapshot = snapshot
        self._cache = cache

    @property
    def versions(self) -> Sequence[Version]:
        """Those that can be shown, the oldest first."""
        return self._cache.versions

    def progress(self) -> list[Progress]:
        """Those that are being read."""
        return [Progress(*row) for row in self._snapshot.rows("unfinished_versions")]

    @property
    def being_read(self) -> bool:
        """Whether there is more to come: a version is being read, or none has been yet."""
        return bool(self.progress()) or not self.number("is_complete")

    def problems(self, most: int) -> list[tuple[str, str]]:
        """Paths and sentences about what is wrong with the files."""
        return [(path, said) for path, said in self._snapshot.rows("problems", limit=most)]

    def left_out(self, version: Version) -> list[tuple[str, str]]:
        """Paths and sentences about what a visitor does not see of a version, or sees otherwise
        than it was meant; with them those of versions that are not shown at all."""
        shown = {each.name for each in self.versions} - {version.name}
        found = self._snapshot.rows("version_problems")
        return [(path, sentence) for name, path, sentence in found if name not in shown]

    def rows(self, statement: str, **parameters: str | int) -> list[Row]:
        """What a named statement of the index answers."""
        return self._snapshot.rows(statement, **parameters)

    def number(self, statement: str) -> int:
        """What a statement counts."""
        return int(self._snapshot.rows(statement)[0][0])

    def version(self, name: str | None) -> Version:
        """The one of that name; the newest for None. Raises `NotFound`, `Unavailable`."""
        if not self.versions:
            if self.being_read:
                raise Unavailable("The catalog is being read.", "Please try again in a minute.", 10)
            raise NotFound("The catalog is empty.", "Its folder holds no version yet.")
        if name is None:
            return self.versions[-1]
        for version in self.versions:
            if version.name == name:
                return version
        if name in {each.version for each in self.progress()}:
            sentence = f'Version "{name}" is being read.'
            raise Unavailable(sentence, "Please try again in a minute.", 10)
        newest = [each.name for each in reversed(self.versions)]
        places = near(name, newest, address) or tuple(Place(n, address(n)) for n in newest[:3])
        raise NotFound(f'There is no version "{name}".', near=places)

    def in_order(self, names: Iterable[str | None]) -> list[str]:
        """Versions from the oldest to the newest; None is the newest. Raises as `version` does."""
        found = sorted(map(self.version, names), key=self.versions.index)
        return [version.name for version in found]

    def dataset(self, version: Version) -> Dataset:
        """What a version holds."""
        dataset = self._cache.datasets.get(version.id)
        if dataset is None:
            rows = self._snapshot.rows("dataset", version=version.id)
            dataset = self._cache.datasets[version.id] = Dataset(
                version, [TableEntry(*row) for row in rows]
            )
        return dataset

    def category(self, dataset: Dataset, name: str) -> list[TableEntry]:
        """The tables of a category. Raises `NotFound`."""
        if name in dataset.categories:
            return dataset.categories[name]
        version = dataset.version.name
        places = near(name, dataset.categories, lambda each: address(version, each))
        raise NotFound(f'There is no category "{name}" in version {version}.', near=places)

    def table(self, dataset: Dataset, category: str, name: str) -> TableEntry:
        """A table. Raises `NotFound`."""
        for entry in dataset.categories.get(category, ()):
            if entry.name == name:
                return entry
        version = dataset.version.name
        places = {
            entry.path: address(version, entry.category, entry.name) for entry in dataset.entries
        }
        found = near(f"{category}/{name}", places, places.__getitem__)
        raise NotFound(f'There is no table "{category}/{name}" in version {version}.', near=found)

    def members(self, entry: TableEntry) -> "array[int]":
        """The rows of a table, in their order."""
        return unpacked(self._snapshot.rows("members", content=entry.content)[0][0])

    def digests(self, entry: TableEntry) -> dict[int, int]:
        """The rows of a table, each with the digest of its values and its table's Defaults."""
        ((members, _, digests),) = self._snapshot.rows("members", content=entry.content)
        return dict(zip(unpacked(members), unpacked(digests, DIGEST), strict=True))

    def fields(self, entry: TableEntry) -> Mapping[str, int]:
        """In how many rows each field stands."""
        found: dict[str, int] = json.loads(
            self._snapshot.rows("members", content=entry.content)[0][1]
        )
        return found

    def head(self, entry: TableEntry) -> Mapping[str, Value]:
        """All of a table's file but its rows."""
        head = self._cache.heads.get(entry.head)
        if head is None:
            ((body,),) = self._snapshot.rows("head", head=entry.head)
            head = self._cache.heads[entry.head] = json.loads(body)
        return head

    def items(self, rows: Sequence[int]) -> list[StoredRow]:
        """These rows, in that order."""
        return [
            StoredRow(row, name, title, json.loads(body))
            for row, name, title, body in self.bodies(rows)
        ]

    def bodies(self, rows: Sequence[int]) -> Iterator[tuple[int, str, str, str]]:
        """The number, name, title and JSON of these rows, in that order; few are in memory."""
        for ids in _pieces(rows):
            yield from self._snapshot.rows("rows_by_id", ids=ids)

    def column(self, rows: Sequence[int], field: str) -> Iterator[tuple[int, str, str | None]]:
        """The number and name of these rows, and one field as JSON, None where a row has none."""
        if _PLAIN.fullmatch(field):
            for ids in _pieces(rows):
                yield from self._snapshot.rows("fields_by_id", ids=ids, path=f'$."{field}"')
            return
        for row, name, _, text in self.bodies(rows):
            body = json.loads(text)
            yield row, name, compact(body[field]) if field in body else None

    def item(self, dataset: Dataset, entry: TableEntry, name: str) -> StoredRow:
        """The row of that name. Raises `NotFound`."""
        forms = {form.id: form for form in self.forms(entry.id, name)}
        for row in self.held(dataset, forms):
            return forms[row]
        version = dataset.version.name
        places = near(
            name,
            self.names(entry),
            lambda each: address(version, entry.category, entry.name, each),
        )
        sentence = f'There is no row "{name}" in {entry.path} of version {version}.'
        raise NotFound(sentence, near=places)

    def names(self, entry: TableEntry) -> list[str]:
        """The names of a table's rows, in their order."""
        pieces = (
            self._snapshot.rows("names_by_id", ids=ids) for ids in _pieces(self.members(entry))
        )
        return [name for piece in pieces for (name,) in piece]

    def names_ever(self, entry: TableEntry) -> list[str]:
        """The names of the rows that a table has in any version."""
        return [name for name, _ in self._snapshot.rows("table_keys", table=entry.id)]

    def forms(self, table: int, name: str) -> list[StoredRow]:
        """A row in every form that it has in any version."""
        found = self._snapshot.rows("row_forms", table=table, row=name)
        return [StoredRow(row, name, title, json.loads(body)) for row, title, body in found]

    def held(self, dataset: Dataset, rows: Iterable[int]) -> list[int]:
        """Those of the rows that a version has."""
        mask = self._mask(dataset)
        # Rows of a version that is being read come after those that were there for the mask.
        known = len(mask)
        rows = list(rows)
        if max(rows, default=0) >= known:
            rows = [row for row in rows if row < known]
        return list(compress(rows, map(mask.__getitem__, rows)))

    def _mask(self, dataset: Dataset) -> bytearray:
        """1 at the number of every row that a version has."""
        mask = self._cache.masks.get(dataset.version.id)
        if mask is None:
            mask = bytearray(len(self.places.keys))
            parts = self._snapshot.rows("version_members", version=dataset.version.id)
            for (members,) in parts:
                for row in unpacked(members):
                    mask[row] = 1
            self._cache.masks[dataset.version.id] = mask
        return mask

    @property
    def places(self) -> RowIndex:
        """Where every row belongs."""
        if self._cache.places is None:
            rows = self._snapshot.rows("row_places")
            size = 1 + max((row for row, _, _ in rows), default=0)
            keys, tables = array("I", bytes(4 * size)), array("I", bytes(4 * size))
            for row, key, table in rows:
                keys[row], tables[row] = key, table
            self._cache.places = RowIndex(keys, tables)
        return self._cache.places

    def ids(self, statement: str, **parameters: str) -> list[int]:
        """The rows that a statement finds, in any version."""
        return [row for (row,) in self._snapshot.rows(statement, **parameters)]

    def matching(self, query: str) -> list[int]:
        """The rows that a query of the search index finds, in any version."""
        ((found,),) = self._snapshot.rows("hits", query=query)
        return list(json.loads(found))


def _pieces(rows: Sequence[int]) -> Iterator[str]:
    """The rows as JSON arrays, none of them long."""
    for start in range(0, len(rows), READ):
        yield json.dumps(list(rows[start : start + READ]), separators=(",", ":"))
