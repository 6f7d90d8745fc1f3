"""Secrets at rest: rotation of the master keys, and canaries that no log, dump, answer or payload shows."""

import base64
import json
import logging
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest
import structlog

from app import logs
from app.db import plain_url
from app.domain.ids import decode_id
from app.engagements.connecting import credentials_place
from app.rotating import COLUMNS, reseal
from app.runtime import Runtime
from app.security import KeyRing, SealBroken
from app.settings import Settings
from tests.api.conftest import Client
from tests.api.receiver import listening
from tests.api.webhook_kit import deliver, happen
from tests.security.conftest import BODIES

CANARIES = {
    "client_id": "canary-id-5d1e",
    "client_secret": "canary-secret-8f2a",
    "refresh_token": "canary-refresh-93bc",
}
VALUE = "canary-value-77aa"


async def connected(owner: Client) -> tuple[str, str]:
    """An engagement with sealed credentials; its path and the connection's id."""
    engagement = (await owner.post("/v1/engagements", json=BODIES["create_engagement"])).json()["id"]
    path = f"/v1/engagements/{engagement}/connections/destination"
    config = dict.fromkeys(("base_url", "accounts_url", "upload_url"), "http://127.0.0.1:9")
    stored = await owner.put(path, json={"config": config, "credentials": CANARIES})
    assert stored.status_code == 200, stored.text
    return path, stored.json()["id"]


async def test_rotation_seals_anew_and_everything_works_on(owner: Client, runtime: Runtime, database_url: str) -> None:
    path, connection_id = await connected(owner)
    hook = await owner.post("/v1/webhook_endpoints", json=BODIES["create_webhook_endpoint"])
    assert hook.status_code == 201
    old = runtime.keys
    ring = KeyRing({"k2": bytes(range(32)), **old._raw})
    first = await reseal(ring, database_url)
    assert first.resealed >= 4  # data key, credentials, webhook secret, kept answers
    again = await reseal(ring, database_url)
    assert (again.resealed, again.current) == (0, first.resealed + first.current)
    connection = await asyncpg.connect(plain_url(database_url))
    try:
        sealed = await connection.fetchval(
            "SELECT credentials FROM connections WHERE id = $1", decode_id("connection", connection_id)
        )
    finally:
        await connection.close()
    place = credentials_place(owner.tenant_id, decode_id("connection", connection_id))
    assert json.loads(ring.unseal(sealed, place=place))["client_secret"] == CANARIES["client_secret"]
    with pytest.raises(SealBroken):
        old.unseal(sealed, place=place)
    runtime.keys = ring
    runtime.data_keys.clear()
    assert (await owner.get(path)).json()["has_credentials"] is True
    assert ring.pepper(b"x") == old.pepper(b"x"), "keys of callers stay valid"


async def test_every_column_that_the_master_key_seals_is_rotated(database_url: str) -> None:
    """Envelopes begin with a version, the length of a key's id and the id: no column may hold one unseen."""
    rotated = {(one.table, one.column) for one in COLUMNS}
    connection = await asyncpg.connect(plain_url(database_url))
    try:
        columns = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'bytea'"
        )
        found = set()
        for table, column in columns:
            query = f"SELECT 1 FROM {table} WHERE substr({column}, 1, 4) IN ('\\x01026b31', '\\x01026b32') LIMIT 1"
            if await connection.fetchval(query):
                found.add((table, column))
    finally:
        await connection.close()
    assert found
    assert found <= rotated


async def test_canaries_are_in_no_log_dump_answer_or_payload(
    owner: Client, runtime: Runtime, database_url: str, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """Logs as the service writes them, every row of the database, what a webhook carries, what the API shows."""
    before = structlog.get_config()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure(settings.model_copy(update={"log_level": "debug"}))
        path, _ = await connected(owner)
        shown = (await owner.post(f"{path}/test")).text + (await owner.get(path)).text
        await owner.put(path, json={"config": {"nonsense": VALUE}, "credentials": {"client_secret": VALUE}})
        async with listening() as receiver:
            await owner.post("/v1/webhook_endpoints", json={"url": receiver.url})
            await happen(runtime, owner, "run.failed", counts={"created": 1})
            await deliver(runtime)
            shown += "".join(each.body.decode() for each in receiver.received)
        structlog.get_logger().warning("told", authorization=owner.key, note=f"Bearer {owner.key}")
        written = capfd.readouterr().err
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers = handlers
        logging.getLogger().setLevel(level)
    dump = await dumped(database_url)
    assert "request_id" in written
    assert len(dump) > 1000
    for name, text in {"answers": shown, "logs": written, "dump": dump}.items():
        for canary in (*CANARIES.values(), VALUE, owner.key):
            assert canary not in text, (name, canary)
            assert base64.b64encode(canary.encode()).decode() not in text, (name, canary)
            assert canary.encode().hex() not in text, (name, canary)


async def dumped(database_url: str) -> str:
    """Every row of every table as text, as a backup holds it."""
    connection = await asyncpg.connect(plain_url(database_url))
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows: list[Mapping[str, Any]] = []
        for table in tables:
            rows += await connection.fetch(f"SELECT t::text AS row FROM {table['tablename']} t")
        return "\n".join(row["row"] for row in rows)
    finally:
        await connection.close()
