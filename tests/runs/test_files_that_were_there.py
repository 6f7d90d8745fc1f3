"""A file of the customer's with the name and size of ours, where no call shows the bytes: what is older is not ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import FileStream, WriteResult
from connectors.errors import Ambiguous
from connectors.freshsales.destination import FreshsalesDestination
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.conftest import provision
from tests.pairs.vendors import Tracker
from tests.runs.road import only, road, sandbox

PAIR = ("servicetracker", "freshsales")
NAME, BODY = "photo.png", b"the customer's own"


@pytest.mark.parametrize("stored", [False, True])
async def test_a_lost_upload_is_not_found_in_an_older_file(
    database_url: str, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Whether the vendor has stored ours before its answer was lost, or never heard of it: there is one of each."""
    behind = timedelta(hours=1)
    config = SandboxConfig(edition="enterprise", clock=lambda: datetime.now(UTC) - behind)
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("freshsales", config) as url:
        async with Tracker(source) as tracker:
            account = await tracker.create("Account", Name="Cedar Ltd")
            await tracker.create("Attachment", ParentId=account, Name=NAME, Body=BODY[::-1])
        async with road(database_url, source, url, pair=PAIR) as way:
            for kind in ("discovery", "preflight"):
                await way.run(kind)
            document = await way.propose()
            await way.confirm(document)
            await way.decide_owners()
            await provision(way)
            await way.confirm(only(document, ["accounts"]))
            await way.run("full")
            [row] = await way.ledger("target_object = 'sales_accounts'")
            theirs = attached_by_hand(url, row["record_id"])
            behind = timedelta()

            original, calls = FreshsalesDestination.attach, []

            async def attach(self: Any, kind: str, parent: str, stream: FileStream) -> WriteResult:
                calls.append(parent)
                made = await original(self, kind, parent, stream) if stored or len(calls) > 1 else None
                if len(calls) == 1:
                    raise Ambiguous("the answer was cut")
                assert made is not None
                return made

            monkeypatch.setattr(FreshsalesDestination, "attach", attach)
            await way.confirm(document)
            await way.run("full")
            [ours] = await way.ledger("target_object = 'documents'")
            files = {str(line["id"]) for line in await way.destination.dump() if line["module"] == "file"}
            assert files == {theirs, ours["record_id"]}
            assert theirs != ours["record_id"]


def attached_by_hand(url: str, parent: str) -> str:
    answer = httpx.post(
        f"{url}/crm/sales/api/documents",
        headers={"Authorization": "Token token=sandbox-key"},
        data={"targetable_id": parent, "targetable_type": "SalesAccount", "file_name": NAME},
        files={"file": (NAME, BODY, "image/png")},
    )
    return str(answer.raise_for_status().json()["id"])
