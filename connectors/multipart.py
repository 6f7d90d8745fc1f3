"""A file on its way into a multipart form, chunk by chunk: nothing is held in memory and nothing arrives cut short."""

import re
import secrets
from collections.abc import AsyncIterator, Mapping

from connectors.base import FileStream
from connectors.errors import ConnectorError, ContractBroken

_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}
_CONTENT_TYPE = re.compile(r"^[\w.+-]+/[\w.+-]+(; ?[\w.+-]+=[\w.+\"-]+)?$", re.ASCII)


class FileForm:
    """A form with one file. After a failed call `failure` says whether the source broke and not the platform."""

    def __init__(self, field: str, stream: FileStream, *, limit: int, fields: Mapping[str, str] | None = None) -> None:
        """`limit` in bytes; a stream that turns out longer fails before the form is complete. `fields` are plain ones
        that come before the file."""
        boundary = secrets.token_hex(16)
        name = "".join(_ESCAPES.get(sign, sign) for sign in stream.name)
        kind = stream.content_type if _CONTENT_TYPE.match(stream.content_type) else "application/octet-stream"
        plain = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{" ".join(value.splitlines())}\r\n'
            for key, value in (fields or {}).items()
        )
        self._head = (
            f'{plain}--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        ).encode("utf-8", "replace")
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._stream = stream
        self._limit = limit
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.failure: ConnectorError | None = None
        self.too_long = False

    def headers(self) -> dict[str, str]:
        """Content type, and the length of the whole form where the source announced the file's size."""
        found = {"Content-Type": self.content_type}
        if self._stream.size is not None:
            found["Content-Length"] = str(len(self._head) + self._stream.size + len(self._tail))
        return found

    async def chunks(self) -> AsyncIterator[bytes]:
        """The form's bytes; raises, and so aborts the call, when the file is not what was announced."""
        size, announced = 0, self._stream.size
        yield self._head
        try:
            async for chunk in self._stream.chunks:
                size += len(chunk)
                if size > self._limit:
                    self.too_long = True
                    raise ContractBroken(f"the file is longer than {self._limit} bytes", code="FILE_TOO_LARGE")
                if announced is not None and size > announced:
                    raise ContractBroken(f"the source announced {announced} bytes and sends more", code="FILE_SIZE")
                yield chunk
            if announced is not None and size != announced:
                raise ContractBroken(f"the source announced {announced} bytes and sent {size}", code="FILE_SIZE")
        except ConnectorError as error:
            self.failure = error
            raise
        yield self._tail
