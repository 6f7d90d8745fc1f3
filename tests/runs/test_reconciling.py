"""Merkle reconciliation on a real destination: one small change is found and named, rechecked cheaply, and repaired."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.verifying import verify_report
from tests.runs.conftest import OpenWay
from tests.runs.road import Road


@dataclass
class Moved:
    """A company at its destination with four small changes that a person made there, by load and field."""

    way: Road
    planted: dict[str, str] = field(default_factory=dict)


async def _edit(way: Road, module: str, record_id: str, **values: Any) -> None:
    body = {"action": "edit_record", "module": module, "id": record_id, "values": values}
    await way.destination.post("admin", body)


async def _records(way: Road, load: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(source id, destination id, data) of the records of a load, by source id."""
    rule = (await way.document()).load(load)
    rows = await way.ledger(
        f"target_object = '{rule.target_object}' AND part = '{rule.part}' AND record_id IS NOT NULL"
    )
    data = {line["id"]: line["data"] for line in await way.destination.dump() if "data" in line}
    return [(row["source_id"], row["record_id"], data[row["record_id"]]) for row in rows]


@pytest.fixture(scope="module")
async def moved(open_way: OpenWay) -> AsyncIterator[Moved]:
    async with open_way() as way:
        await way.up_to("full")
        made = Moved(way)
        deal = next(one for one in await _records(way, "deals") if one[2].get("Amount"))
        await _edit(way, "Deals", deal[1], Amount=round(float(deal[2]["Amount"]) + 0.01, 2))
        made.planted[deal[0]] = "Amount"
        contact = next(one for one in await _records(way, "contacts") if one[2].get("Last_Name"))
        await _edit(way, "Contacts", contact[1], Last_Name=f"{contact[2]['Last_Name']} ")
        made.planted[contact[0]] = "Last_Name"
        users = (await way.inventory("destination")).users
        account = (await _records(way, "accounts"))[0]
        other = next(user.id for user in users if user.active and user.id != account[2]["Owner"])
        await _edit(way, "Accounts", account[1], Owner={"id": other})
        made.planted[account[0]] = "Owner"
        yield made


async def _check(way: Road, kind: str = "reconcile", **options: Any) -> tuple[UUID, dict[str, Any]]:
    run_id = await way.run(kind, options=options or None)
    counts = (await way.row(run_id)).counts
    return run_id, counts


def _differences(counts: dict[str, Any]) -> dict[str, str]:
    loads = counts["readback"]["loads"].values()
    return {one["source_id"]: one["field"] for load in loads for one in load["differences"]}


def _verdict(path: Path, content: bytes, key: str | None = None) -> tuple[int, str]:
    path.write_bytes(content)
    said: list[str] = []
    return verify_report(path, key, said.append), "\n".join(said)


async def test_changes_are_found_rechecked_and_repaired(moved: Moved, tmp_path: Path) -> None:
    """The whole life of a difference, in the order a person would meet it."""
    way = moved.way
    paper = tmp_path / "reconciliation.json"
    full = await way.file(way.runs["full"], "reconciliation.json")
    assert _verdict(paper, full)[0] == 0  # the full run's own check came before the edits

    # A recheck reads what changed since that check, and finds every planted change under its field.
    run_id, counts = await _check(way, recheck=True)
    assert _differences(counts) == moved.planted
    reread = [load for load in counts["readback"]["loads"].values() if load["read_again"] and load["with_owner"]]
    assert {load["owner_rate"] for load in reread} == {1.0}  # of what was read now, not of everything there is
    signed = await way.file(run_id, "reconciliation.json")
    code, said = _verdict(paper, signed)
    assert code == 3, said
    assert counts["readback"]["root_meant"] != counts["readback"]["root_found"]
    assert json.loads(signed)["document"]["meant"] == json.loads(full)["document"]["meant"]

    # A repair sends only those fields; what a person changed elsewhere on the record stays.
    touched = next(iter(await _records(way, "accounts")))
    await _edit(way, "Accounts", touched[1], Rating="Acquired")
    run_id, counts = await _check(way, "repair")
    repair = (await way.row(run_id)).counts["repair"]
    assert (repair["differing"], repair["repaired"], repair["fields"], repair["refused"]) == (3, 3, 3, 0)
    assert _differences(counts) == {}
    assert _verdict(paper, await way.file(run_id, "reconciliation.json"))[0] == 0
    [rating] = [one[2].get("Rating") for one in await _records(way, "accounts") if one[1] == touched[1]]
    assert rating == "Acquired"

    # A whole check says the same, with the same roots.
    run_id, counts = await _check(way)
    assert counts["readback"]["discrepancies"] == 0
    assert counts["readback"]["root_meant"] == counts["readback"]["root_found"]
    assert counts["readback"]["read_again"] == counts["readback"]["checked_records"]


async def test_the_counts_of_both_ends_add_up(moved: Moved) -> None:
    """Live records at the source beside what stands at the destination, whichever run wrote it, and why not."""
    way = moved.way
    _, counts = await _check(way)
    rows = counts["both_ends"]
    staged = await way.fetch(
        "SELECT object, count(*) AS n FROM staged WHERE engagement_id = $1 AND deleted_at IS NULL GROUP BY 1",
        way.engagement_id,
    )
    live = {row["object"]: row["n"] for row in staged}
    assert {row["object"] for row in rows} == set(live)
    for row in rows:
        assert row["at_source"] == live[row["object"]]
        assert row["planned"] == row["at_destination"] + sum(row["reasons"].values())
        assert row["at_destination"] == row["created"] + row["taken_over"]
        assert sum(row["reasons"].values()) >= row["skipped"] + row["quarantined"] + row["held"]
    plain = {(row["object"], row["target"]): row for row in rows if row["part"] == ""}
    for pair, load in ((("Account", "Accounts"), "accounts"), (("WorkOrder", "Deals"), "deals")):
        checked = counts["readback"]["loads"][load]["checked_records"]
        assert plain[pair]["at_destination"] == checked > 0
    contacts = counts["readback"]["loads"]["contacts"]
    assert contacts["fill_found"] == contacts["fill"]
    assert contacts["fill"]["Last_Name"] == 1.0


async def test_a_recheck_reads_what_changed_only(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing changed since the mark, the records with a key are not read again, and the roots are the same."""
    way = moved.way
    monkeypatch.setattr("app.runs.stages.reconcile.OVERLAP", timedelta(seconds=-60))  # the edits lie behind the mark
    run_id, counts = await _check(way)
    whole = (await way.row(run_id)).calls["by_purpose"]
    run_id, again = await _check(way, recheck=True)
    asked = (await way.row(run_id)).calls["by_purpose"]
    assert again["readback"]["root_found"] == counts["readback"]["root_found"]
    assert again["readback"]["checked_records"] == counts["readback"]["checked_records"]
    files_and_notes = sum(
        load["checked_records"] for name, load in counts["readback"]["loads"].items() if name in ("files", "notes")
    )
    assert again["readback"]["read_again"] == files_and_notes
    rates = {name: load["owner_rate"] for name, load in again["readback"]["loads"].items()}
    assert {rates[name] for name in ("accounts", "contacts", "deals")} == {None}  # nothing read, nothing said
    assert sum(number for name, number in asked.items() if "changes" in name) > 0
    read = [name for name in whole if name.startswith("fetch")]
    assert read
    assert not [name for name in asked if name in read and "Notes" not in name]


async def test_an_altered_document_is_not_believed(moved: Moved, tmp_path: Path) -> None:
    way = moved.way
    signed = await way.file(way.runs["full"], "reconciliation.json")
    paper = tmp_path / "paper.json"
    altered = json.loads(signed)
    altered["document"]["objects"][0]["records"] += 1
    assert _verdict(paper, json.dumps(altered).encode())[0] == 1
    other = json.loads(signed)
    other["signature"]["value"] = other["signature"]["value"][::-1]
    assert _verdict(paper, json.dumps(other).encode())[0] == 1
    assert _verdict(paper, b"{}")[0] == 1
    assert _verdict(paper, b"not json")[0] == 1
    assert _verdict(paper, b'{"document": {}, "signature": 7}')[0] == 1
    code, said = _verdict(paper, signed, key="0000-0000-0000-0000")
    assert code == 1
    assert "another key" in said
    right = json.loads(signed)["signature"]
    assert _verdict(paper, signed, key=right["fingerprint"])[0] == 0
    assert _verdict(paper, signed, key=right["public_key"])[0] == 0
