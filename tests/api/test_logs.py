"""Logs are one JSON object a line, and hold nothing secret."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from app.access import KEY_PREFIX, TOKEN_PREFIX, make_secret
from app.logs import HIDDEN, configure, redact
from app.models.columns import new_id
from app.settings import Settings

KEY = make_secret(KEY_PREFIX, new_id())
TOKEN = make_secret(TOKEN_PREFIX)
HOOK = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers, root.level
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure(Settings())
    yield out
    structlog.reset_defaults()
    root.handlers, root.level = kept, level


@pytest.mark.parametrize(
    "value",
    [KEY, TOKEN, HOOK, f"call with {KEY}!", f"Authorization: Bearer {'x' * 20}", "Zoho-oauthtoken 1000.abc.def.ghi"],
    ids=["key", "token", "webhook secret", "within a text", "bearer", "zoho"],  # xdist wants the same ids everywhere
)
def test_secret_texts_are_hidden_wherever_they_stand(value: str) -> None:
    for event in ({"event": value}, {"a": [value]}, {"a": {"b": (value,)}}):
        shown = json.dumps(redact(None, "", dict(event)))
        assert HIDDEN in shown
        assert KEY not in shown
        assert TOKEN not in shown
        assert "whsec_" not in shown
        assert "1000.abc" not in shown


def test_values_under_secret_names_are_hidden() -> None:
    event = {"password": "p", "client_secret": "s", "headers": {"Authorization": "a", "Set-Cookie": "c"}, "api_key": 1}
    shown = redact(None, "", event)
    assert shown == {
        "password": HIDDEN,
        "client_secret": HIDDEN,
        "headers": {"Authorization": HIDDEN, "Set-Cookie": HIDDEN},
        "api_key": HIDDEN,
    }


def test_url_passwords_are_hidden() -> None:
    shown = redact(None, "", {"event": "connect postgresql://owner:hush@127.0.0.1:5432/x failed"})
    assert "hush" not in shown["event"]
    assert "127.0.0.1:5432/x" in shown["event"]


def test_ids_and_plain_values_stay() -> None:
    event = {"run_id": "run_01j6gv5gy6fsfrma3wfhpsy6sb", "status": 200, "event": "request", "path": "/v1/runs"}
    assert redact(None, "", dict(event)) == event


def test_lines_are_json_with_bound_ids(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req_1", tenant_id="ten_1", run_id="run_1"):
        structlog.get_logger().info("something", key_hint=f"Bearer {'y' * 12}")
        logging.getLogger("library").warning("password=%s for %s", "x", KEY)
    first, second = [json.loads(line) for line in lines.getvalue().splitlines()]
    for line in (first, second):
        assert (line["request_id"], line["tenant_id"], line["run_id"]) == ("req_1", "ten_1", "run_1")
    assert first["level"] == "info"
    assert second["level"] == "warning"
    assert KEY not in lines.getvalue()
    assert "yyy" not in lines.getvalue()


def test_exceptions_are_whole_but_clean(lines: io.StringIO) -> None:
    try:
        raise RuntimeError(f"refused {KEY}")
    except RuntimeError:
        structlog.get_logger().exception("broke")
    line = json.loads(lines.getvalue())
    assert "RuntimeError: refused" in line["exception"]
    assert KEY not in lines.getvalue()
