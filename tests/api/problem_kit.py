"""How a test reads a refusal."""

from typing import Any

import httpx


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is a whole problem document of this status and code."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"/problems/{code}"
    assert body["request_id"] == response.headers["request-id"]
    assert body["title"]
    assert body["detail"]
    return body
