"""Records that Freshsales refuses, in bulk jobs and in calls of their own: each is named, nothing else is held up."""

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import up_to
from tests.pairs.vendors import Tracker
from tests.runs.road import road, sandbox

PAIR = ("servicetracker", "freshsales")
CREDENTIALS = {
    "servicetracker": {"client_id": "sandbox-client", "client_secret": "sandbox-secret"},
    "freshsales": {"api_key": "sandbox-key"},
}
CLIENTS = 30
_WRITTEN = "outcome IN ('created', 'updated', 'unchanged') AND record_id IS NOT NULL AND target_object = "


async def test_refused_records_are_quarantined_and_land_once_the_vendor_takes_them(database_url: str) -> None:
    config = SandboxConfig(edition="enterprise", options={"job_seconds": "0"})
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", config) as url:
        async with Tracker(source) as tracker:
            for number in range(CLIENTS):
                client = await tracker.create("Account", Name=f"Client {number:02}")
                await tracker.create("Contact", LastName=f"Person {number:02}", AccountId=client)
        async with road(database_url, source, url, pair=PAIR, credentials=CREDENTIALS) as way:
            await up_to(way, "provision")
            await way.destination.faults(reject_record=2_500, seed=4)
            await way.run("full")
            refused = await way.ledger("outcome = 'quarantined'")
            assert {row["target_object"] for row in refused} == {"sales_accounts", "contacts"}
            assert {row["reason"] for row in refused} == {"HTTP_400"}
            assert all(row["record_id"] is None for row in refused)
            held = await way.ledger("outcome = 'held'")  # whose client was refused
            assert 0 < len(refused) + len(held) < 2 * CLIENTS
            for name, module in (("sales_accounts", "sales_account"), ("contacts", "contact")):
                created = (await way.destination.stats())["records"]["created"][module]
                assert len({row["record_id"] for row in await way.ledger(f"{_WRITTEN}'{name}'")}) == created
            await way.destination.faults()
            await way.run("full")
            assert await way.ledger("outcome IN ('quarantined', 'held')") == []
            created = (await way.destination.stats())["records"]["created"]
            assert (created["sales_account"], created["contact"]) == (CLIENTS, CLIENTS)
