"""Serves the reference page and its style. They are no part of the API and not in its document."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.etags import etag
from app.reference.page import write_page

router = APIRouter(include_in_schema=False)

_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@router.get("/docs", operation_id="get_reference_page")
async def get_reference_page(request: Request) -> Response:
    """The API on one page, written once for each process."""
    state = request.app.state
    if not hasattr(state, "reference_page"):
        state.reference_page = write_page(request.app.openapi()).encode()
    response = _served(request, state.reference_page, "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@router.get("/docs/page.css", operation_id="get_reference_style")
async def get_reference_style(request: Request) -> Response:
    return _served(request, _style(), "text/css; charset=utf-8")


def _served(request: Request, content: bytes, media_type: str) -> Response:
    tag = etag("reference", content)
    headers = {"Cache-Control": "public, max-age=300", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


@cache
def _style() -> bytes:
    return files("app.reference").joinpath("page.css").read_bytes()
