"""A folder of tables nobody described: proposed, corrected, confirmed, run, and proposed again with what was learnt.

Over HTTP as a client does it; the engine is advanced here, as a worker would.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.domain.ids import decode_id
from app.models.run import Run
from app.runs.engine import advance
from tests.api.engagement_kit import Move, sandboxes
from tests.api.test_mappings_learning import settings

__all__ = ["sandboxes", "settings"]  # fixtures

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea-small"
OWN = {
    "patients.csv": (
        b"Patient ID,First,Surname,Born,Street,Town,Zip,Cell,E-Mail,Zx Merkzahl,Shoe Size\n"
        b"P1,Ada,Berg,13/02/1979,3 Acacia Street,Eastwick,02117,+61 491 570 156,ada@example.com,blue,38\n"
        b"P2,Bo,Dahl,01/12/1990,9 Mill Road,Westbury,02118,+61 491 570 157,bo@example.com,green,41\n"
        b"P3,Cy,=cmd,25/07/2001,1 High Street,Eastwick,02117,,cy@example.com,,44\n"
    )
}


async def uploaded(owner: Any, runtime: Any, stands: Any, files: dict[str, bytes]) -> Move:
    """A fresh engagement with these files, connected and discovered."""
    stands.clock.advance(minutes=15)
    body = {"name": "Foreign folder", "source": "clinic", "destination": "zoho_crm"}
    answer = await owner.post("/v1/engagements", json=body)
    assert answer.status_code == 201, answer.text
    made = Move(owner, runtime, stands, answer.json()["id"])
    stored = await owner.put(f"{made.path}/connections/source", json={"config": {"mode": "upload"}})
    assert stored.status_code == 200, stored.text
    for name, content in files.items():
        sent = await owner.post(
            f"{made.path}/uploads", params={"name": name}, content=content, headers={"Content-Type": "text/csv"}
        )
        assert sent.status_code == 201, sent.text
    assert (await made.put_connection("destination")).status_code == 200
    for role in ("source", "destination"):
        proved = await owner.post(f"{made.path}/connections/{role}/test")
        assert proved.status_code == 200, proved.text
    await done(made, "discovery")
    return made


async def done(made: Move, kind: str, expect: str = "completed") -> str:
    """Starts a run and advances it as a worker would, answering checklists in nobody's name."""
    answer = await made.start(kind)
    assert answer.status_code in {201, 202}, answer.text
    run_id = str(answer.json()["id"])
    run = await made.row(Run, id=decode_id("run", run_id))
    for _ in range(400):
        await advance(made.runtime, run.id, "test")
        run = await made.row(Run, id=run.id)
        if run.state not in {"running", "queued", "cancelling"}:
            break
        made.runtime.now.advance(seconds=2)  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    assert run.state == expect, (kind, run.state, run.problem)
    return run_id


def rule_of(document: dict[str, Any], load: str, source: str) -> dict[str, Any]:
    found = next(one for one in document["loads"] if one["key"] == load)
    rules = [rule for rule in found["fields"] if rule["sources"] == [source]]
    assert rules, (source, sorted("+".join(rule["sources"]) for rule in found["fields"]))
    return rules[0]


async def corrected(made: Move, load: str, source: str, target: str) -> None:
    """A person sends one source field elsewhere and keeps the rest."""
    answer = await made.client.get(f"{made.path}/mapping")
    document = answer.json()["document"]
    rule = rule_of(document, load, source)
    planned = rule["target"]
    rule.update(target=target, transform="text", origin="person", args={"truncate": True}, value_map=None)
    document["plan"]["fields"] = [one for one in document["plan"]["fields"] if one["key"] != planned]
    stored = await made.client.put(f"{made.path}/mapping", json=document, headers={"If-Match": answer.headers["etag"]})
    assert stored.status_code == 200, stored.text


async def agreed(made: Move) -> None:
    """Confirms the draft as it stands."""
    version = (await made.client.get(f"{made.path}/mapping")).json()["version"]
    answer = await made.client.post(f"{made.path}/mapping/confirm", json={"version": version})
    assert answer.status_code == 200, answer.text
    agreement = {"confirmed": True, "reference": "DPA 2026-17"}
    assert (await made.client.put(f"{made.path}/agreement", json=agreement)).status_code == 200
    await made.settle_owners()


async def road(made: Move, source: str, target: str) -> dict[str, Any]:
    """Proposed, corrected, confirmed and run in full; the counts of the full run."""
    first = rule_of((await made.propose())["document"], "patients", source)
    assert first["target"] != target
    await corrected(made, "patients", source, target)
    await agreed(made)
    for kind in ("preflight", "provision"):
        await done(made, kind)
    listed = (await made.client.get(f"{made.path}/reports", params={"kind": "losses"})).json()["data"]
    opened = (await made.client.get(f"/v1/reports/{listed[0]['id']}")).json()
    assert opened["summary"]["fields"] == len({(one["load"], one["target"]) for one in opened["body"]["losses"]})
    sample = await done(made, "sample")
    approved = await made.client.post(f"/v1/runs/{sample}/approve")
    assert approved.status_code == 200, approved.text
    full = await made.row(Run, id=decode_id("run", await done(made, "full")))
    counts: dict[str, Any] = full.counts
    return counts


async def test_a_small_folder_learns_from_its_corrections(owner: Any, runtime: Any, sandboxes: Any) -> None:
    first = await uploaded(owner, runtime, sandboxes, OWN)
    schema = (await owner.get(f"{first.path}/inventories/source/schema")).json()
    names = {one["name"] for one in schema["objects"]}
    assert "patients" in names
    counts = await road(first, "Zx_Merkzahl", "Skype_ID")
    assert (counts["read"], counts["held"], counts["quarantined"]) == (3, 0, 0)
    again = await uploaded(owner, runtime, sandboxes, OWN)
    learnt = rule_of((await again.propose())["document"], "patients", "Zx_Merkzahl")
    assert (learnt["target"], learnt["reasons"][0]["code"]) == ("Skype_ID", "learnt")


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the data set is not here")
async def test_a_clinic_nobody_here_made_learns_too(owner: Any, runtime: Any, sandboxes: Any) -> None:
    files = {path.name: path.read_bytes() for path in sorted(SYNTHEA.glob("*.csv")) if path.stem in
             {"patients", "organizations", "providers", "encounters"}}  # fmt: skip
    first = await uploaded(owner, runtime, sandboxes, files)
    counts = await road(first, "COUNTY", "Department")
    rows = sum(body.count(b"\n") - 1 for body in files.values())
    assert (counts["read"], counts["held"], counts["quarantined"]) == (rows, 0, 0)
    again = await uploaded(owner, runtime, sandboxes, files)
    learnt = rule_of((await again.propose())["document"], "patients", "COUNTY")
    assert (learnt["target"], learnt["reasons"][0]["code"]) == ("Department", "learnt")
