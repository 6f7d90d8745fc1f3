"""Files of what does not move: made of what the source has now, also without a pre-flight and after the extraction."""

import csv
import io

import pytest

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.road import Road, road, sandbox

CONFIG = SandboxConfig(edition="enterprise")


async def _rows(way: Road, kind: str, name: str) -> list[dict[str, str]]:
    body = await way.file(way.runs[kind], name)
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


@pytest.mark.parametrize("checked", [True, False], ids=["preflight", "no preflight"])
async def test_an_inquiry_that_came_since_is_in_the_delta_file(database_url: str, checked: bool) -> None:
    """No load reads leads and invoices: a full run reads them all the same, and each delta writes their files anew."""
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("zoho_crm", CONFIG) as url:
        async with Tracker(source) as tracker, road(database_url, source, url) as way:
            client = await tracker.create("Account", Name="Ash Ltd")
            await tracker.create("Lead", FirstName="Lea", LastName="First", Company="New Ltd", Status="New")
            await way.run("discovery")
            if checked:
                await way.run("preflight")
            await way.confirm(await way.propose())
            await way.decide_owners()
            await way.run("provision")
            await way.run("full")
            assert [row["Last name"] for row in await _rows(way, "full", "leads.csv")] == ["First"]
            if not checked:
                return
            await tracker.create("Lead", FirstName="Tom", LastName="Second", Company="Later Ltd", Status="New")
            await tracker.create("Invoice__c", Client__c=client, Total__c="-12.50", Payment_Status__c="Paid")
            await way.delta()
            leads = await _rows(way, "delta", "leads.csv")
            assert sorted(row["Last name"] for row in leads) == ["First", "Second"]
            invoices = await _rows(way, "delta", "invoices.csv")
            assert [(row["Client"], row["Total"]) for row in invoices] == [("Ash Ltd", "-12.5")]
            ends = await way.ledger("source_object IN ('Lead', 'Invoice__c')")
            assert {(row["outcome"], row["reason"]) for row in ends} == {("skipped", "exported_to_file")}
            assert len(ends) == 3
