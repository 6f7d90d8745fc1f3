"""Files that were uploaded beside tables, in archives: found by the path that a table names."""

import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.base import FileRef, FileStream
from connectors.errors import BatchRefused
from connectors.table_files import StoredDocument, TableShelf, find_document


class UploadedDocuments:
    """The documents of one engagement."""

    def __init__(self, shelf: TableShelf) -> None:
        self._shelf = shelf
        self._by_path: dict[str, list[StoredDocument]] | None = None

    async def find(self, path: str) -> StoredDocument | None:
        """The document that a path names, if just one fits."""
        if self._by_path is None:
            found: dict[str, list[StoredDocument]] = {}
            for one in await self._shelf.documents():
                found.setdefault(one.path, []).append(one)
            self._by_path = found
        exact = self._by_path.get(path, [])
        if len(exact) == 1:
            return exact[0]
        return find_document([one for same in self._by_path.values() for one in same], path)

    @asynccontextmanager
    async def open(self, ref: FileRef) -> AsyncIterator[FileStream]:
        """The bytes of the document whose path is `ref.id`; BatchRefused with FILE_GONE where there is none."""
        document = await self.find(ref.id)
        if document is None:
            raise BatchRefused(
                f"{ref.object} {ref.field}: the file was not uploaded with the export", code="FILE_GONE", status=404
            )
        name = document.path.rpartition("/")[2]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        yield FileStream(name, kind, document.size, self._shelf.read_document(document))
