"""Records that the source let go, and what was computed from records that changed at the same time."""

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import up_to
from tests.pairs.vendors import Tracker
from tests.runs.road import road, sandbox

PAIR = ("servicetracker", "freshsales")
CREDENTIALS = {
    "servicetracker": {"client_id": "sandbox-client", "client_secret": "sandbox-secret"},
    "freshsales": {"api_key": "sandbox-key"},
}


async def test_values_taken_from_a_client_follow_it_or_stay_as_they_were_written(database_url: str) -> None:
    """A contact's stage is that of its client. Where the contact lives on, it follows; where it went with the client,
    it stands as it was written, and neither a reconciliation nor a rollback takes that for somebody's work.
    """
    config = SandboxConfig(edition="enterprise")
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", config) as url:
        async with Tracker(source) as tracker:
            clients, people = {}, {}
            for name in ("changed", "deleted", "left"):
                clients[name] = await tracker.create("Account", Name=f"Client {name}", Type="Prospect")
                people[name] = await tracker.create("Contact", LastName=f"Person {name}", AccountId=clients[name])
            async with road(database_url, source, url, pair=PAIR, credentials=CREDENTIALS) as way:
                await up_to(way, "provision")
                before = await way.destination.dump()
                await way.run("full")
                await tracker.change("Account", clients["changed"], Type="Customer")
                await tracker.delete("Contact", people["deleted"])
                await tracker.change("Account", clients["deleted"], Type="Customer")
                await way.delta()
                await way.run("reconcile")
                readback = (await way.row(way.runs["reconcile"])).counts["readback"]
                assert [one for load in readback["loads"].values() for one in load["differences"]] == []
                assert readback["discrepancies"] == 0
                await way.run("rollback")
                assert len(await way.destination.dump()) == len(before)
