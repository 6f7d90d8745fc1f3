"""Files that an export lists: attachments, signatures and content files as `File` records, without their bytes.

The tables name every file, so each gets its outcome; the bytes are not in them and are refused one by one.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from app.domain.schema import Record
from connectors.base import Deletion, Page
from connectors.servicetracker.export_tables import ExportTable
from connectors.servicetracker.files import KINDS, attachment_record, changed_at, content_record, signature_record
from connectors.servicetracker.reading import Cursor, row_id, write_cursor

_OBJECT_OF = {"attachment": "Attachment", "content": "ContentDocumentLink", "signature": "DigitalSignature"}
_VERSION = "ContentVersion"
_USER_PREFIX = "005"
Row = dict[str, str]


class ExportedFiles:
    """The `File` object of an export. `tables` are those of the file objects that were uploaded.

    Latest versions of content files are held in memory while their links are read, some 500 bytes each.
    """

    def __init__(self, tables: Mapping[str, ExportTable]) -> None:
        self._tables = tables

    async def count(self) -> int:
        """Living files."""
        return sum([len(page.records) async for page in self.pages(Cursor(), 2_000)])

    async def pages(self, cursor: Cursor, size: int) -> AsyncIterator[Page]:
        """Kind after kind, each by the id of its table."""
        kinds = [kind for kind in KINDS if _OBJECT_OF[kind] in self._tables]
        kinds = kinds[kinds.index(cursor.kind) :] if cursor.kind in kinds else kinds
        after = cursor.after
        for kind in kinds:
            table = self._tables[_OBJECT_OF[kind]]
            table.require_readable()
            versions = await self._versions(size) if kind == "content" else {}
            async for rows in table.keyed.pages(after, size):
                named = [_named(table, row) for row in rows]
                records, deletions = _split(kind, named, versions)
                following = Cursor(after=row_id(named[-1]), kind=kind)
                yield Page(records, deletions, write_cursor(following))
            after = ""
        yield Page(())

    async def _versions(self, size: int) -> dict[str, Row]:
        """The latest version of each document."""
        table = self._tables.get(_VERSION)
        if table is None:
            return {}
        table.require_readable()
        found: dict[str, Row] = {}
        async for rows in table.keyed.pages("", size):
            for cells in rows:
                row = _named(table, cells)
                if row.get("IsLatest", "true").lower() in ("true", "1"):
                    found[row.get("ContentDocumentId", "")] = row
        return found


def _named(table: ExportTable, cells: list[str]) -> Row:
    """The cells that are filled, by their heading's field; a body that came along is left behind."""
    return {name: value for name, index in table.places.items() if (value := cells[index])}


def _split(kind: str, rows: list[Row], versions: Mapping[str, Row]) -> tuple[list[Record], list[Deletion]]:
    records: list[Record] = []
    deletions: list[Deletion] = []
    for row in rows:
        version: Mapping[str, Any] | None = versions.get(row.get("ContentDocumentId", "")) if kind == "content" else row
        if version is None or row.get("LinkedEntityId", "").startswith(_USER_PREFIX):
            continue
        changed = max(changed_at(row), changed_at(version))
        if _gone(row) or _gone(version):
            deletions.append(Deletion(row_id(row), changed))
        elif kind == "content":
            records.append(content_record(row, version, changed))
        else:
            records.append(attachment_record(row) if kind == "attachment" else signature_record(row))
    return records, deletions


def _gone(row: Mapping[str, Any]) -> bool:
    return str(row.get("IsDeleted", "")).lower() in ("true", "1")
