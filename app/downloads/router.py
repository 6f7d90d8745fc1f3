"""The one route that takes a signed link instead of a key."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Query
from fastapi.responses import StreamingResponse

from app.dependencies import RuntimeDep
from app.downloads.service import tenant_behind
from app.engagements import files
from app.errors import EngagementPurged, NotFound
from app.identifiers import FileId
from app.problems import responses
from app.routing import api_router

router = api_router("", "downloads")


@router.get(
    "/downloads/{file_id}",
    operation_id="follow_download_link",
    summary="Download a file by its signed link",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file's bytes.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **responses(NotFound, EngagementPurged),
    },
)
async def follow_download_link(
    file_id: FileId,
    runtime: RuntimeDep,
    expires: Annotated[int, Query(ge=0, le=2**40, description="Unix seconds after which the link is dead.")],
    signature: Annotated[str, Query(min_length=40, max_length=40, pattern="^[0-9a-f]+$")],
) -> StreamingResponse:
    """Links stand in destination records where a file was above the vendor's limit."""
    tenant_id = await tenant_behind(runtime, file_id, expires, signature)
    artifact, key = await files.open_file(runtime, tenant_id, file_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(artifact.name, safe='')}",
        "Content-Length": str(artifact.size),
    }
    body = files.read_file(runtime, tenant_id, key, artifact.id)
    return StreamingResponse(body, media_type=artifact.content_type, headers=headers)
