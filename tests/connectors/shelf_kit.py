"""Uploaded files in memory, for connectors that read tables."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from app.domain.schema import Record
from connectors.base import ConnectionContext, Source
from connectors.table_files import StoredDocument, StoredTable, TableSurvey
from connectors.tabular import Probe
from connectors.throttle import Unlimited
from tests.connectors.connector_kit import MemoryTokens, build_context, read_all
from tests.connectors.unpacking_kit import bytes_of, profile_of, taken_apart

UPLOADED = datetime(2026, 11, 21, 9, tzinfo=UTC)
Answers = Mapping[tuple[str, str], str]


class Nothing(BaseModel):
    """No credentials."""


class Shelf:
    """Files in memory: `known` ids of earlier reads, `paths` that the road reads, `papers` as documents by path."""

    def __init__(self, files: Mapping[str, bytes], answers: Mapping[str, Answers] = {}) -> None:
        self.files = dict(files)
        self.answers = answers
        self.paths: list[str] = []
        self.known: dict[str, list[str]] = {}
        self.papers: dict[str, bytes] = {}

    async def tables(self) -> Sequence[StoredTable]:
        return [self._table(name, body) for name, body in sorted(self.files.items())]

    def _table(self, name: str, body: bytes) -> StoredTable:
        probe = Probe()
        probe.feed(body)
        survey = TableSurvey(probe.finish())
        survey.feed(body)
        return StoredTable(name, len(body), UPLOADED, survey.finish(), self.answers.get(name, {}))

    async def read(self, table: StoredTable) -> AsyncIterator[bytes]:
        body = self.files[table.name]
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    async def documents(self) -> Sequence[StoredDocument]:
        return [
            StoredDocument(path, len(body), sha256(body).hexdigest(), "export.zip")
            for path, body in sorted(self.papers.items())
        ]

    async def read_document(self, document: StoredDocument) -> AsyncIterator[bytes]:
        yield self.papers[document.path]

    async def needed(self) -> Sequence[str]:
        return self.paths

    async def known_ids(self, object_name: str) -> AsyncIterator[Sequence[str]]:
        known = sorted(self.known.get(object_name, []))
        for start in range(0, len(known), 3):
            yield known[start : start + 3]


def upload_context(shelf: Shelf, **config: Any) -> ConnectionContext:
    """What a connector of uploaded files is built from."""
    return build_context(
        Nothing(), {"mode": "upload", "tables": shelf, **config}, tokens=MemoryTokens(), throttle=Unlimited()
    )


async def whole(source: Source, name: str) -> dict[str, Record]:
    """All records of an object with all its fields, by key."""
    spec = (await source.describe()).object(name)
    assert spec is not None, name
    primary = next(field.name for field in spec.fields if field.primary_key)
    records, _ = await read_all(source, name, [field.name for field in spec.fields])
    assert [record[primary] for record in records] == sorted({record[primary] for record in records})
    return {record[primary]: record for record in records}


class UnpackedShelf(Shelf):
    """A file that holds several tables, taken apart as an upload is: JSON, a workbook, an archive."""

    def __init__(self, name: str, body: bytes) -> None:
        super().__init__({})
        stem, _, kind = name.rpartition(".")
        self._tables: list[StoredTable] = []
        for one in taken_apart(kind, body, stem).tables:
            parent = f"{name}/{one.parent}" if one.parent else ""
            place = {"stem": one.stem, "parent": parent, "path": one.path, "bundle": name}
            stored = bytes_of(one)
            self.files[f"{name}/{one.name}"] = stored
            profile = profile_of(one).model_copy(update=place)
            self._tables.append(StoredTable(f"{name}/{one.name}", len(stored), UPLOADED, profile))

    async def tables(self) -> Sequence[StoredTable]:
        return self._tables
