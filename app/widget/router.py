"""Serves the estimator's script and the page that shows it. They are no part of the API and not in its document."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.etags import etag

router = APIRouter(include_in_schema=False)

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_FILES = {
    "widget.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.html": "text/html; charset=utf-8",
}


@router.get("/widget.js", operation_id="get_widget_script")
async def get_widget_script(request: Request) -> Response:
    """The one script; any site may load it, and browsers ask again after an hour."""
    response = _served(request, "widget.js")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@router.get("/widget.css", operation_id="get_widget_page_style")
async def get_widget_page_style(request: Request) -> Response:
    return _served(request, "page.css")


@router.get("/widget", operation_id="get_widget_page")
async def get_widget_page(request: Request) -> Response:
    """The estimator as a partner would embed it."""
    response = _served(request, "page.html")
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


def _served(request: Request, name: str) -> Response:
    content, tag = _read(name)
    headers = {"Cache-Control": "public, max-age=3600", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_FILES[name], headers=headers)


@cache
def _read(name: str) -> tuple[bytes, str]:
    content = files("app.widget").joinpath(name).read_bytes()
    return content, etag("widget", content)
