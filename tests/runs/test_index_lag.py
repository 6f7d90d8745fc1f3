"""A search index that lags hides what people have just entered; it is found all the same, and stays theirs."""

from dataclasses import replace

import pytest

from connectors.registry import PLATFORMS
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import up_to
from tests.pairs.vendors import Tracker
from tests.runs.road import road, sandbox
from tests.runs.test_refused_singly import CREDENTIALS, PAIR

_LAG = 1.5


async def test_an_account_entered_right_before_the_run_is_taken_over_and_given_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = PLATFORMS["freshsales"].limits.model_copy(update={"settle_seconds": 0.05, "index_seconds": _LAG + 0.5})
    platform = replace(PLATFORMS["freshsales"], limits=slow)
    monkeypatch.setattr("app.runs.opening.PLATFORMS", {**PLATFORMS, "freshsales": platform})
    config = SandboxConfig(edition="enterprise", options={"job_seconds": "0", "search_lag_seconds": str(_LAG)})
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", config) as url:
        async with Tracker(source) as tracker:
            clients = [await tracker.create("Account", Name=f"Client {number}") for number in range(4)]
        async with road(database_url, source, url, pair=PAIR, credentials=CREDENTIALS) as way:
            await up_to(way, "provision")
            values = {
                "name": "Theirs",
                "website": "https://example.com",
                "custom_field": {"cf_source_system_id": f"servicetracker:Account:{clients[0]}"},
            }
            body = {"action": "create_record", "module": "sales_account", "values": values}
            theirs = str((await way.destination.post("admin", body))["id"])
            before = await way.destination.dump()
            await way.run("full")
            rows = {row["source_id"]: row for row in await way.ledger("target_object = 'sales_accounts' AND part = ''")}
            assert (rows[clients[0]]["record_id"], rows[clients[0]]["created"]) == (theirs, False)
            assert all(rows[one]["created"] for one in clients[1:])
            await way.run("rollback")
            assert await way.destination.dump() == before
