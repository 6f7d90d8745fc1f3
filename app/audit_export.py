"""How an audit log leaves over the API: a line an entry, as NDJSON or CSV."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import StreamingResponse

Format = Annotated[Literal["ndjson", "csv"], Query()]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One entry per line, in the order of the chain.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


def exported(body: AsyncIterator[bytes], format: str) -> StreamingResponse:
    """The streamed answer with its media type and file name."""
    media = "text/csv; charset=utf-8" if format == "csv" else "application/x-ndjson"
    headers = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return StreamingResponse(body, media_type=media, headers=headers)
