"""Attachments of records: bytes streamed through, or a link (Zoho fact sheet section 17)."""

import hashlib
import secrets

from connectors.answers import Answer
from connectors.base import FileStream, WriteResult, WriteStatus
from connectors.errors import Ambiguous, ConnectorError, ContractBroken
from connectors.http import ApiClient, Call
from connectors.multipart import FileForm
from connectors.zoho_crm import wire
from connectors.zoho_crm.records import ROOT, part, write_result

ATTACHMENT_BYTES = 20 * 1024 * 1024
"""The older figure of two; the newer schema says 100 MB (section 19 item 6)."""
DOWNLOAD_BYTES = 100 * 1024 * 1024
"""The newer figure: what somebody else attached may be as large."""
_TOO_LARGE = WriteResult(
    WriteStatus.REFUSED,
    code="FILE_TOO_LARGE",
    field="file",
    message=f"the file is larger than {ATTACHMENT_BYTES} bytes",
)
_LONGEST_TITLE = 255
_LONGEST_URL = 3_000


class Attachments:
    """Attachment calls of one org; one file per call."""

    def __init__(self, api: ApiClient, timeout: float) -> None:
        self._api = api
        self._timeout = timeout

    async def attach(self, module: str, record: str, stream: FileStream) -> WriteResult:
        """Sends the bytes as they come. A file over the limit is a refusal; a source that breaks raises its error."""
        if stream.size is not None and stream.size > ATTACHMENT_BYTES:
            return _TOO_LARGE
        form = FileForm("file", stream, limit=ATTACHMENT_BYTES)
        try:
            answer = await self._api.request(
                "POST",
                self._path(module, record),
                purpose="attach",
                writing=True,
                content=form.chunks(),
                headers=form.headers(),
                timeout=self._timeout,
                accept=frozenset({400, 413, 415}),
            )
        except ConnectorError:
            if form.too_long:
                return _TOO_LARGE
            if form.failure is not None:
                raise form.failure from None
            raise
        return self._result(answer)

    async def attach_link(self, module: str, record: str, name: str, url: str) -> WriteResult:
        """A link in place of a file, as a form field."""
        if len(url) > _LONGEST_URL or any(sign in url for sign in "\r\n\0"):
            return WriteResult(WriteStatus.REFUSED, code="INVALID_DATA", field="attachmentUrl", message="unusable URL")
        boundary = secrets.token_hex(16)
        fields = {"attachmentUrl": url, "title": " ".join(name[:_LONGEST_TITLE].split()) or url[:_LONGEST_TITLE]}
        body = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        answer = await self._api.request(
            "POST",
            self._path(module, record),
            purpose="attach",
            writing=True,
            content=f"{body}--{boundary}--\r\n".encode("utf-8", "replace"),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
            accept=frozenset({400, 413, 415}),
        )
        return self._result(answer)

    async def digest(self, module: str, record: str, file_id: str) -> str | None:
        """SHA-256 of a file's bytes as the download call shows them (section 17); None for links and what is gone."""
        path = f"{self._path(module, record)}/{part(file_id)}"
        call = Call("GET", path, "read attachment", max_bytes=DOWNLOAD_BYTES, timeout=self._timeout)
        found = hashlib.sha256()
        try:
            async with self._api.stream(call) as download:
                async for chunk in download.chunks:
                    found.update(chunk)
        except ContractBroken as error:
            if error.status in (400, 404):
                return None
            raise
        return found.hexdigest()

    def _path(self, module: str, record: str) -> str:
        return f"{ROOT}/{part(module)}/{part(record)}/Attachments"

    def _result(self, answer: Answer) -> WriteResult:
        """The one result; a refusal of the request is a refusal of this one file."""
        refused = answer.status in (400, 413, 415)
        try:
            items = answer.decode(wire.DATA).data
        except Ambiguous:
            if not refused:
                raise
            items = []
        if len(items) == 1:
            return write_result(items[0], WriteStatus.CREATED)
        if not refused:
            raise answer.unreadable(f"{len(items)} results for one file")
        error = self._api.refusal(answer)
        return WriteResult(
            WriteStatus.REFUSED, code=error.code or str(answer.status), field="file", message=error.detail
        )
