"""Files and links of records: bytes streamed through, one call each; there is no download and no delete call (8)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.answers import Answer
from connectors.base import FileStream, WriteResult, WriteStatus
from connectors.errors import ConnectorError, ContractBroken
from connectors.freshsales import wire
from connectors.freshsales.modules import DOCUMENTS, PARENTS, PRODUCTS, Module
from connectors.freshsales.reading import JSON, PER_PAGE, is_id
from connectors.freshsales.verdicts import REFUSED, refused
from connectors.http import ApiClient
from connectors.multipart import FileForm

FILE_BYTES = 150 * 1024 * 1024
"""Per file; what the account holds is a matter of its plan (section 8)."""
_LONGEST_URL = 2_000
_LONGEST_NAME = 255
_STATUSES = REFUSED | {403, 413, 415}
_FULL = "STORAGE_OR_RIGHT"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


class Documents:
    """File calls of one account."""

    def __init__(self, api: ApiClient, timeout: float) -> None:
        self._api = api
        self._timeout = timeout

    async def attach(self, parent_object: str, parent_id: str, stream: FileStream) -> WriteResult:
        """Sends the bytes as they come. A file over the limit is a refusal; a source that breaks raises its error."""
        parent = PARENTS.get(parent_object)
        if parent is None or not is_id(parent_id):
            return _unfit(parent_object)
        if stream.size is not None and stream.size > FILE_BYTES:
            return _TOO_LARGE
        form = FileForm(
            "file",
            stream,
            limit=FILE_BYTES,
            fields={"targetable_id": parent_id, "targetable_type": _target(parent), "file_name": stream.name},
        )
        try:
            answer = await self._api.request(
                "POST",
                "/documents",
                purpose="attach",
                writing=True,
                content=form.chunks(),
                headers=form.headers(),
                timeout=self._timeout,
                accept=_STATUSES,
            )
        except ConnectorError:
            if form.too_long:
                return _TOO_LARGE
            if form.failure is not None:
                raise form.failure from None
            raise
        return self._result(answer)

    async def attach_link(self, parent_object: str, parent_id: str, name: str, url: str) -> WriteResult:
        """A link in place of a file; its body takes no wrapper (section 8)."""
        parent = PARENTS.get(parent_object)
        if parent is None or parent is PRODUCTS or not is_id(parent_id):
            return _unfit(parent_object)
        if len(url) > _LONGEST_URL or any(sign in url for sign in "\r\n\0"):
            return WriteResult(WriteStatus.REFUSED, code="INVALID_DATA", field="url", message="unusable URL")
        # blanks stay as they are: a link whose answer was lost is found again by this name
        title = _CONTROLS.sub(" ", name).strip()[:_LONGEST_NAME] or url[:_LONGEST_NAME]
        body = {"url": url, "name": title, "targetable_id": int(parent_id), "targetable_type": parent.model}
        answer = await self._api.request(
            "POST",
            "/document_links",
            purpose="attach",
            writing=True,
            content=msgspec.json.encode(body),
            headers=JSON,
            accept=_STATUSES,
        )
        return self._result(answer)

    def _result(self, answer: Answer) -> WriteResult:
        """403 is about this file as well: no storage is left, or the key's user may not write to this record."""
        if answer.status in _STATUSES:
            result = refused(answer, {})
            code = _FULL if answer.status == 403 else result.code
            return result._replace(code=code, field=result.field or "file")
        return WriteResult(WriteStatus.CREATED, str(answer.decode(wire.UPLOADED).id))

    async def children(self, parent_object: str, parent_id: str) -> list[dict[str, Any]]:
        """Files and links of one record as {id, name, File_Name, Size, Created_Time, url}; none when it is gone."""
        parent = PARENTS.get(parent_object)
        if parent is None or parent is PRODUCTS:
            raise ContractBroken(f"files of {parent_object[:60]} cannot be listed", code="NO_LIST_CALL")
        if not is_id(parent_id):
            return []
        found: list[dict[str, Any]] = []
        number = 1
        while True:
            answer = await self._api.request(
                "GET",
                f"{parent.path}/{parent_id}/document_associations",
                purpose=f"list {DOCUMENTS}",
                params={"page": str(number), "per_page": str(PER_PAGE)},
                accept=frozenset({404}),
            )
            if answer.status == 404:
                return []
            body = answer.decode(wire.OBJECT)
            rows = _listed(body)
            found += rows
            if len(rows) < PER_PAGE:
                return found
            number += 1

    def undeletable(self, ids: Sequence[str]) -> list[WriteResult]:
        text = "there is no call that deletes a file or a link; an administrator can, in the record's page"
        return [WriteResult(WriteStatus.REFUSED, one, code="NO_DELETE_CALL", message=text) for one in ids]


_TOO_LARGE = WriteResult(
    WriteStatus.REFUSED, code="FILE_TOO_LARGE", field="file", message=f"the file is larger than {FILE_BYTES} bytes"
)


def _target(parent: Module) -> str:
    return "Product" if parent is PRODUCTS else parent.model


def _unfit(parent_object: str) -> WriteResult:
    """Files on custom modules are unverified (section 8)."""
    text = f"files cannot be put on {parent_object[:60]}"
    return WriteResult(WriteStatus.REFUSED, code="PARENT_NOT_SUPPORTED", field="targetable_type", message=text)


def _listed(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of both lists; key names of the rows are not documented."""
    found = []
    for name in ("documents", "document_links"):
        listed = body.get(name)
        for row in listed if isinstance(listed, list) else []:
            if not isinstance(row, dict):
                continue
            title = row.get("name") or row.get("content_file_name") or row.get("file_name")
            size = row.get("content_file_size", row.get("size"))
            named = {"id": str(row.get("id")), "name": title, "File_Name": title, "Size": size}
            found.append({**row, **named, "Created_Time": row.get("created_at")})
    return found
