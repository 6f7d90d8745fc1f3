"""Shows everything that holds bytes as one object `File`: attachments, content files by link, and signatures.

Links of content files can only be asked for by document or by record, so the walk goes over the latest versions and
asks for the links of each handful of documents. Source fact sheet section 1.8.
"""

import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.domain.schema import Record
from connectors.base import Deletion, FileRef, FileStream, Page
from connectors.errors import BatchRefused, ContractBroken
from connectors.http import ApiClient, Call
from connectors.servicetracker.reading import Cursor, Query, row_id, write_cursor
from connectors.servicetracker.rows import canonical_datetime, canonical_number
from connectors.servicetracker.schema import FILE_OBJECT, Shape
from connectors.servicetracker.soql import among, quoted, select

KINDS = ("attachment", "content", "signature")
_DOCUMENTS_PER_CALL = 200
_LARGEST_FILE = 4 * 1024**3
_USER_PREFIX = "005"
_OBJECT_OF = {"attachment": "Attachment", "content": "ContentVersion", "signature": "DigitalSignature"}
_COLUMNS = {
    "attachment": ("Id", "ParentId", "Name", "ContentType", "BodyLength", "CreatedDate", "SystemModstamp", "IsDeleted"),
    "signature": (
        "Id", "ParentId", "SignatureType", "SignedBy", "SignedDate", "DocumentContentType", "CreatedDate",
        "SystemModstamp", "IsDeleted",
    ),
    "content": (
        "Id", "ContentDocumentId", "Title", "PathOnClient", "FileExtension", "ContentSize", "CreatedDate",
        "SystemModstamp", "IsDeleted",
    ),
}  # fmt: skip
_LINK_COLUMNS = ("Id", "ContentDocumentId", "LinkedEntityId", "SystemModstamp", "IsDeleted")


class FileReader:
    """Walks all files of the tenant, and opens their bytes."""

    def __init__(self, api: ApiClient, query: Query, shapes: Mapping[str, Shape], page_size: int) -> None:
        self._api = api
        self._query = query
        self._shapes = shapes
        self._size = page_size

    async def pages(self, cursor: Cursor, since: datetime | None = None) -> AsyncIterator[Page]:
        """All files, kind after kind, ordered by the id of what holds the bytes; with `since` only changed ones."""
        kinds = [kind for kind in KINDS if _OBJECT_OF[kind] in self._shapes]
        if cursor.kind in kinds:
            kinds = kinds[kinds.index(cursor.kind) :]
        after = cursor.after
        for number, kind in enumerate(kinds):
            more = True
            while more:
                rows = await self._rows(kind, after)
                after = row_id(rows[-1]) if rows else ""
                more = len(rows) >= self._page_of(kind)
                records, deletions = await self._files(kind, rows, since)
                following = Cursor(after=after, kind=kind) if more else None
                if following is None and number + 1 < len(kinds):
                    following = Cursor(kind=kinds[number + 1])
                yield Page(records, deletions, write_cursor(following) if following else None)
            after = ""
        if not kinds:
            yield Page(())

    async def count(self) -> int:
        """Living files; content files need their links to be listed, a call per two hundred documents."""
        total = 0
        async for page in self.pages(Cursor()):
            total += len(page.records)
        return total

    @asynccontextmanager
    async def open(self, ref: FileRef) -> AsyncIterator[FileStream]:
        """The bytes as a stream. Raises BatchRefused when this one file is gone or unreadable."""
        parts = (quote(part, safe="") for part in (ref.object, ref.id, ref.field))
        path = f"{self._query.root}/sobjects/{'/'.join(parts)}"
        call = Call("GET", path, "file", headers={"Accept-Encoding": "identity"}, max_bytes=_LARGEST_FILE)
        async with AsyncExitStack() as stack:
            try:
                download = await stack.enter_async_context(self._api.stream(call))
            except ContractBroken as error:
                if error.status != 404:
                    raise
                detail = f"the file {ref.object} {ref.id} is gone at the source"
                raise BatchRefused(detail, code="FILE_GONE", status=404) from None
            length = download.headers.get("content-length", "")
            yield FileStream(
                name=ref.id,
                content_type=download.headers.get("content-type", "application/octet-stream").split(";")[0],
                size=int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None,
                chunks=download.chunks,
            )

    def _page_of(self, kind: str) -> int:
        return min(_DOCUMENTS_PER_CALL, self._size) if kind == "content" else self._size

    async def _rows(self, kind: str, after: str) -> list[dict[str, Any]]:
        name = _OBJECT_OF[kind]
        columns = [column for column in _COLUMNS[kind] if column in self._shapes[name].types]
        conditions = [f"Id > {quoted(after)}"] if after else []
        if kind == "content":
            conditions.append("IsLatest = true")
        soql = select(columns, name, " AND ".join(conditions), "Id", self._page_of(kind))
        return await self._query.all_rows(soql, purpose=f"read {FILE_OBJECT}")

    async def _files(
        self, kind: str, rows: list[dict[str, Any]], since: datetime | None
    ) -> tuple[list[Record], list[Deletion]]:
        if kind == "content":
            return await self._linked(rows, since)
        records: list[Record] = []
        deletions: list[Deletion] = []
        make = attachment_record if kind == "attachment" else signature_record
        for row in rows:
            if since is not None and changed_at(row) < since:
                continue
            if row.get("IsDeleted") is True:
                deletions.append(Deletion(row_id(row), changed_at(row)))
            else:
                records.append(make(row))
        return records, deletions

    async def _linked(
        self, versions: list[dict[str, Any]], since: datetime | None
    ) -> tuple[list[Record], list[Deletion]]:
        """One file per link to a record; links to users only say who may see a file."""
        documents = {str(row.get("ContentDocumentId")): row for row in versions}
        if not documents:
            return [], []
        soql = select(_LINK_COLUMNS, "ContentDocumentLink", f"ContentDocumentId IN {among(documents)}", order="")
        links = await self._query.all_rows(soql, purpose=f"read {FILE_OBJECT}")
        records: list[Record] = []
        deletions: list[Deletion] = []
        for link in sorted(links, key=row_id):
            version = documents.get(str(link.get("ContentDocumentId")))
            if version is None or str(link.get("LinkedEntityId", "")).startswith(_USER_PREFIX):
                continue
            changed = max(changed_at(link), changed_at(version))
            if since is not None and changed < since:
                continue
            if link.get("IsDeleted") is True or version.get("IsDeleted") is True:
                deletions.append(Deletion(row_id(link), changed))
            else:
                records.append(content_record(link, version, changed))
        return records, deletions


def attachment_record(row: Mapping[str, Any]) -> Record:
    """The `File` record of an attachment's row."""
    return _record(
        row,
        Name=row.get("Name"),
        ContentType=row.get("ContentType"),
        Size=_size(row.get("BodyLength")),
        Kind="attachment",
        BlobObject="Attachment",
        BlobId=row_id(row),
        BlobField="Body",
    )


def signature_record(row: Mapping[str, Any]) -> Record:
    """The `File` record of a signature's row."""
    created = _when(row.get("CreatedDate"))
    signed = _when(row.get("SignedDate"))
    return _record(
        row,
        Name=f"signature-{row.get('SignatureType') or 'unknown'}-{(signed or created)[:10]}.png",
        ContentType=row.get("DocumentContentType") or "image/png",
        Kind="signature",
        BlobObject="DigitalSignature",
        BlobId=row_id(row),
        BlobField="DocumentBody",
        SignedBy=row.get("SignedBy"),
        SignedDate=signed,
    )


def content_record(link: Mapping[str, Any], version: Mapping[str, Any], changed: datetime) -> Record:
    """The `File` record of a content file's latest version at the record that a link names."""
    name = version.get("PathOnClient") or version.get("Title") or row_id(version)
    extension = version.get("FileExtension")
    if extension and not str(name).lower().endswith(f".{str(extension).lower()}"):
        name = f"{name}.{extension}"
    record = _record(
        version,
        Name=name,
        ContentType=mimetypes.guess_type(str(name))[0] or "application/octet-stream",
        Size=_size(version.get("ContentSize")),
        Kind="content",
        BlobObject="ContentVersion",
        BlobId=row_id(version),
        BlobField="VersionData",
    )
    parent = link.get("LinkedEntityId")
    return record | {"Id": row_id(link), "ParentId": parent, "SystemModstamp": changed.isoformat()}


def _record(row: Mapping[str, Any], **values: Any) -> Record:
    """A `File` record; blanks are left out, other than texts are refused."""
    found = {
        "Id": row_id(row),
        "ParentId": row.get("ParentId"),
        "CreatedDate": _when(row.get("CreatedDate")),
        "SystemModstamp": _when(row.get("SystemModstamp")),
        **values,
    }
    wrong = next((name for name, value in found.items() if value and not isinstance(value, str)), None)
    if wrong:
        raise ContractBroken(f"{FILE_OBJECT}.{wrong} is not a text")
    return {name: value for name, value in found.items() if value}


def _size(value: Any) -> str:
    try:
        return "" if value is None else canonical_number(value)
    except ValueError:
        raise ContractBroken(f"{FILE_OBJECT}.Size is not a number") from None


def _when(value: Any) -> str:
    try:
        return canonical_datetime(value) if value else ""
    except ValueError:
        raise ContractBroken("a file's date cannot be read") from None


def changed_at(row: Mapping[str, Any]) -> datetime:
    """When a file's row was changed last. Raises ContractBroken without a stamp."""
    text = _when(row.get("SystemModstamp"))
    if not text:
        raise ContractBroken("a file's row has no SystemModstamp")
    return datetime.fromisoformat(text)
