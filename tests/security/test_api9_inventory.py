"""API9:2023 Improper Inventory Management: what is served is what is documented, one version of it."""

import json
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.security.conftest import DOCUMENT, OPERATIONS

COMMITTED = Path(__file__).parents[2] / "openapi" / "tranship.json"
UNDOCUMENTED = {"/openapi.json", "/docs", "/docs/page.css", "/widget.js", "/widget.css", "/widget"}


def test_every_served_route_is_documented(app: FastAPI) -> None:
    served = set()
    for route in iter_route_contexts(app.routes):
        served |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
    documented = {(one.method, one.path) for one in OPERATIONS}
    assert documented <= served
    assert {path for method, path in served - documented} <= UNDOCUMENTED


def test_one_version_and_no_leftovers() -> None:
    for one in OPERATIONS:
        assert one.path.startswith(("/v1/", "/problems", "/livez", "/readyz", "/metrics")), one.path
        assert not one.described.get("deprecated"), one.name
        assert "sandbox" not in one.path
        assert "debug" not in one.path


def test_the_committed_document_is_the_served_one() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == DOCUMENT


async def test_old_and_unknown_versions_are_gone(http: httpx.AsyncClient) -> None:
    for version in ("v0", "v2", "V1", "v1.0"):
        assert (await http.get(f"/{version}/platforms")).status_code == 404
