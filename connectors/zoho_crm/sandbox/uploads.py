"""Multipart uploads written to disk as they come in, with size and checksum counted on the way."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from connectors.zoho_crm.sandbox.answers import Refusal

_MAX_FIELD = 10_000
_MAX_PARTS = 50


@dataclass(slots=True)
class Upload:
    """One received file."""

    field: str
    name: str
    path: Path
    size: int
    sha256: str
    too_big: bool


class Receiver:
    """Takes the parts of one multipart body; files go to `folder`, other fields stay in memory."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self.files: list[Upload] = []
        self.fields: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        self._header = [b"", b""]
        self._current: Upload | None = None
        self._handle = -1
        self._hash = hashlib.sha256()
        self._text = bytearray()
        self._name = ""
        self._parts = 0

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._field, "on_header_value": self._value, "on_header_end": self._header_end,
            "on_headers_finished": self._headers_done,
        }  # fmt: skip

    def _begin(self) -> None:
        self._headers, self._text, self._parts = {}, bytearray(), self._parts + 1
        if self._parts > _MAX_PARTS:
            raise Refusal(400, "LIMIT_EXCEEDED", "too many parts", {"limit": _MAX_PARTS})

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header[0].decode("latin-1").lower()] = self._header[1].decode("utf-8", "replace")
        self._header = [b"", b""]

    def _headers_done(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", "").encode())
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        file_name = options.get(b"filename")
        if file_name is None:
            return
        # browsers and httpx write a quote inside a file name as %22
        text = file_name.decode("utf-8", "replace").replace("%22", '"').replace("\\", "/")
        name = Path(text).name[:255] or "file"
        path = self._folder / f"incoming-{os.urandom(8).hex()}"
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._hash = hashlib.sha256()
        self._current = Upload(self._name, name, path, 0, "", too_big=False)
        self.files.append(self._current)

    def _data(self, data: bytes, start: int, end: int) -> None:
        chunk = data[start:end]
        if self._current is None:
            self._text += chunk[: _MAX_FIELD - len(self._text)]
            return
        self._current.size += len(chunk)
        if self._current.size > self._limit:
            self._current.too_big = True
            return
        os.write(self._handle, chunk)
        self._hash.update(chunk)

    def _end(self) -> None:
        if self._current is None:
            self.fields[self._name] = self._text.decode("utf-8", "replace")
            return
        self._current.sha256 = self._hash.hexdigest()
        self._current = None
        self._close()

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def discard(self) -> None:
        """Removes what was received, after a refusal or a broken connection."""
        self._close()
        for upload in self.files:
            upload.path.unlink(missing_ok=True)


async def receive(request: Request, folder: Path, limit: int) -> Receiver:
    """Reads a multipart body; the caller moves or discards the files. INVALID_REQUEST for a body of another form."""
    kind, options = parse_options_header(request.headers.get("content-type", "").encode())
    boundary = options.get(b"boundary")
    receiver = Receiver(folder, limit)
    if kind != b"multipart/form-data" or not boundary:
        return receiver
    parser = MultipartParser(boundary, receiver.callbacks())  # type: ignore[arg-type]
    try:
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except BaseException as error:
        receiver.discard()
        if isinstance(error, ValueError):
            raise Refusal(400, "INVALID_REQUEST", "the multipart body cannot be read") from error
        raise
    return receiver
