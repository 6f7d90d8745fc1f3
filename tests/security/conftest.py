"""The application as tests/api has it, and one tenant that owns one of everything."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from app.documents import engagement_key, seal_document
from app.domain.ids import decode_id, encode_id
from app.main import openapi_document
from app.models.columns import new_id
from app.models.engagement import Engagement, Question
from app.models.file import Artifact
from app.models.mapping import Mapping, Report
from app.models.run import Run
from app.runtime import Runtime
from app.settings import Settings
from tests.api.conftest import (
    Client,
    app,
    clock,
    http,
    make_client,
    owner,
    runtime,
    stranger,
)
from tests.api.conftest import settings as as_served
from tests.api.webhook_kit import happen

__all__ = ["app", "as_served", "clock", "http", "make_client", "owner", "runtime", "stranger"]  # fixtures


@pytest.fixture(autouse=True, scope="session")
def plain_logs() -> Iterator[None]:
    """Failures are logged in one line; the console's picture of a whole request takes longer than a test."""
    before = structlog.get_config()
    last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, *last])
    yield
    structlog.configure(**before)


@pytest.fixture
def settings(as_served: Settings) -> Settings:
    """As served, with a second's patience for platforms that do not answer: nobody waits here."""
    return as_served.model_copy(update={"call_timeout_seconds": 1.0})


@dataclass(frozen=True)
class Operation:
    """One operation of the OpenAPI document."""

    method: str
    path: str
    name: str
    described: dict[str, Any] = field(repr=False)

    @property
    def scope(self) -> str:
        return str(self.described.get("x-required-scope", ""))

    @property
    def secured(self) -> bool:
        return self.described.get("security") == [{"bearer": []}]

    @property
    def changes(self) -> bool:
        return self.method != "GET"


DOCUMENT = openapi_document()


def all_operations() -> list[Operation]:
    found = []
    for path, item in DOCUMENT["paths"].items():
        found += [Operation(method.upper(), path, each["operationId"], each) for method, each in item.items()]
    return found


OPERATIONS = all_operations()
# A valid body for every operation that takes one, so that a refusal is never about the content.
BODIES: dict[str, Any] = {
    "answer_question": {"answer": {"choice": "a"}},
    "confirm_agreement": {"confirmed": True, "reference": "x"},
    "confirm_mapping": {"version": 1},
    "create_engagement": {"name": "x", "source": "servicetracker", "destination": "zoho_crm"},
    "create_key": {},
    "create_quote": {"source": "servicetracker", "destination": "zoho_crm"},
    "create_run": {"kind": "discovery"},
    "create_webhook_endpoint": {"url": "http://127.0.0.1:9/"},
    "put_connection": {"config": {"mode": "upload"}},
    "put_mapping": {"source": "servicetracker", "destination": "zoho_crm", "loads": []},
    "put_owners": {"decisions": []},
    "replay_webhook_endpoint": {"since": "2026-11-21T00:00:00Z"},
    "review_quote": {"amount_minor": 1},
    "rotate_key": {},
    "rotate_webhook_secret": {},
    "update_engagement": {"name": "y"},
    "update_webhook_endpoint": {"enabled": True},
    "validate_mapping": {},
}


def call_of(operation: Operation, ids: dict[str, str]) -> tuple[str, str, dict[str, Any]]:
    """Method, path and options of a request that is valid but for whose it is."""
    path = operation.path
    for name, value in {**ids, "role": "source"}.items():
        path = path.replace(f"{{{name}}}", value)
    options: dict[str, Any] = {"headers": {"If-Match": '"some"'} if operation.method in ("PUT", "PATCH") else {}}
    if operation.name == "upload_file":
        options |= {"content": b"Id\n1\n", "params": {"name": "Account.csv"}}
        options["headers"] = {"Content-Type": "text/csv"}
    elif operation.name == "purge_engagement":
        options["json"] = {"engagement_id": ids["engagement_id"]}
    elif operation.name in BODIES:
        options["json"] = BODIES[operation.name]
    return operation.method, path, options


@pytest.fixture
async def belongings(owner: Client, runtime: Runtime) -> dict[str, str]:
    """Ids of one of everything that the owner has, by the name of the path's parameter."""
    made = await owner.post("/v1/engagements", json=BODIES["create_engagement"])
    engagement_id = made.json()["id"]
    path = f"/v1/engagements/{engagement_id}"
    await owner.put(f"{path}/connections/source", json=BODIES["put_connection"])
    uploaded = await owner.post(
        f"{path}/uploads?name=Account.csv", content=b"Id,Name\n1,Ann\n", headers={"Content-Type": "text/csv"}
    )
    assert uploaded.status_code == 201, uploaded.text
    endpoint = (await owner.post("/v1/webhook_endpoints", json=BODIES["create_webhook_endpoint"])).json()["id"]
    await happen(runtime, owner)
    sent = (await owner.get(f"/v1/webhook_endpoints/{endpoint}/deliveries")).json()["data"][0]["id"]
    quote = (await owner.post("/v1/quotes", json=BODIES["create_quote"])).json()["id"]
    rows = await _rows(owner, runtime, engagement_id)
    return {
        "engagement_id": engagement_id,
        "upload_id": uploaded.json()["id"],
        "endpoint_id": endpoint,
        "delivery_id": sent,
        "quote_id": quote,
        "key_id": encode_id("api_key", owner.key_id),
        **rows,
    }


async def _rows(owner: Client, runtime: Runtime, engagement: str) -> dict[str, str]:
    """What only the engine writes."""
    now, uuid = runtime.now(), decode_id("engagement", engagement)
    shared: dict[str, Any] = {"tenant_id": owner.tenant_id, "engagement_id": uuid, "created_at": now}
    run, report, file, question = (new_id() for _ in range(4))
    async with runtime.db.transaction(owner.tenant_id) as session:
        key = engagement_key(runtime, await session.get_one(Engagement, uuid))
        session.add(Run(id=run, kind="discovery", state="paused", next_at=now, **shared))
        session.add(Report(id=report, kind="gap", body=seal_document(key, report, {"a": 1}), **shared))
        session.add(Artifact(id=file, kind="export", name="a.csv", **shared))
        session.add(Question(id=question, subject="s", code="c", options={"choices": ["a"]}, **shared))
        session.add(Mapping(version=1, document={"loads": []}, **shared))
    return {
        "run_id": encode_id("run", run),
        "report_id": encode_id("report", report),
        "file_id": encode_id("artifact", file),
        "question_id": encode_id("question", question),
    }
