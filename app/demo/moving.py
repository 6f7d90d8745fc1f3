"""The second half of the road: sample, full run, reconciliation, delta, a run that finds nothing to do, rollback."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

from app.demo.client import Client
from app.demo.counting import OUTCOMES, LedgerFigures
from app.demo.dumps import Dump, count_disagreements, differences, read_dump
from app.demo.standins import STAND_INS
from app.demo.uploading import upload_all
from app.demo.walking import Walk, stage_sums
from app.domain.ids import decode_id

_LOADING = ("load", "link", "note", "file")
_SHOWN = 10
CHANGES = {"seed": 3, "updates": 20, "creates": 8, "deletes": 3, "merges": 2}


def foresee(walk: Walk) -> int:
    """The plan of the full run; returns the calls it forecasts."""
    walk.screen.step("Plan of the full run")
    plan = walk.client.get(f"{walk.path}/plan", kind="full").body
    walk.keep("plan.json", plan)
    forecast = plan["forecast"]
    calls = int(forecast.get("write_calls") or 0) + int(forecast.get("read_calls") or 0)
    phases = forecast.get("phases", {})
    seconds = float(forecast.get("busy_seconds") or 0)
    walk.screen.table(
        f"{calls} calls, {forecast.get('credits')} credits, about {seconds:.0f} s of sending",
        ("phase", "records", "calls", "credits"),
        ((name, one["records"], one["calls"], one["credits"]) for name, one in phases.items()),
    )
    return calls


def sample(walk: Walk) -> None:
    """A sample, its diff, and the approval that opens the full run."""
    walk.screen.step("Sample")
    run = walk.run("sample")
    chosen = stage_sums(run, "choose").get("records", 0)
    read_back = walk.reports(run, "readback")
    checked, different = _checked(read_back)
    walk.result.sample = {"records": chosen, "diff_fields": checked, "diff_mismatches": different}
    walk.screen.table(
        "Field-level diff of the sample",
        ("load", "records", "fields", "different"),
        (
            (one["load"], one["checked_records"], one["checked_fields"], one["discrepancies"])
            for one in sorted((report["summary"] for report in read_back), key=lambda summary: summary["load"])
        ),
    )
    for report in read_back:
        for row in report["body"]["rows"]:
            if row["different"]:
                names = ", ".join(field["field"] for field in row["fields"] if field["verdict"] != "equal")
                walk.screen.warn(f"{report['summary']['load']} {row['source_id']} differs in {names}")
    walk.result.expect(chosen > 0, "the sample is empty")
    walk.result.expect(different == 0, f"{different} fields of the sample read back otherwise than sent")
    walk.client.post(f"/v1/runs/{run['id']}/approve")
    walk.screen.say("approved by the client's key")


def move_all(walk: Walk, figures: LedgerFigures, loads: list[dict[str, Any]], before: Dump) -> None:
    """The full run; its counts from SQL, set beside what the API says and what the destination has."""
    walk.screen.step("Full run")
    run = walk.run("full")
    calls = run["calls"]
    walk.result.calls = {"forecast": calls["forecast"] or 0, "made": calls["made"], "rejected_429": 0}
    read = {one["name"]: one["counts"].get("read", 0) for one in run["stages"] if one["kind"] in _LOADING}
    walk.result.objects = figures.rows(loads, read)
    for row in walk.result.objects:
        walk.result.expect(row.read == row.ended, f"{row.object} → {row.target}: {row.read} read, {row.ended} ended")
    told, counted = run["counts"], figures.outcomes(_uuid(run))
    for name in OUTCOMES:
        same = told.get(name, 0) == counted[name]
        walk.result.expect(same, f"{name}: the API says {told.get(name)}, the ledger {counted[name]}")
    _compare_with_destination(walk, figures, before, "after the full run")


def reconcile(walk: Walk) -> dict[str, int]:
    """Reads everything back; the figures as the JSON has them."""
    run = walk.run("reconcile")
    read_back = walk.report(run, "reconcile")["body"]["readback"]
    loads: dict[str, dict[str, Any]] = read_back["loads"]
    owned = sum(one["with_owner"] for one in loads.values())
    different = int(read_back["discrepancies"])
    walk.screen.say(
        f"{read_back['checked_records']} records with {read_back['checked_fields']} fields read back, "
        f"{different} discrepancies, {owned} with owner"
    )
    for key, one in loads.items():
        for found in one["differences"][:_SHOWN]:
            walk.screen.warn(f"{key} {found['source_id']}: {found['field']} is {found['verdict']} ({found['kind']})")
    walk.result.expect(different == 0, f"{different} discrepancies in the reconciliation {run['id']}")
    return {name: int(read_back[name]) for name in ("checked_records", "checked_fields", "discrepancies")}


def follow_changes(walk: Walk, figures: LedgerFigures, before: Dump) -> None:
    """The customer goes on working; a delta brings what changed."""
    walk.screen.step("Delta")
    if walk.export is not None:
        _send_again(walk, walk.export)
        return
    changes = walk.source.post("/_sandbox/mutate", CHANGES).body
    made = {name: len(entries) for name, entries in changes.items()}
    walk.screen.say("meanwhile at the source: " + ", ".join(f"{name} {count}" for name, count in made.items()))
    run = walk.run("delta")
    ends = stage_sums(run, *_LOADING)
    gone = stage_sums(run, "deletions")
    walk.screen.say(", ".join(f"{name} {ends.get(name, 0)}" for name in ("read", *OUTCOMES)))
    walk.screen.say(f"reported, not applied: {gone.get('deleted', 0)} deleted, {gone.get('merged', 0)} merged")
    sums = sum(ends.get(name, 0) for name in OUTCOMES)
    walk.result.expect(ends.get("read", 0) == sums, f"delta: {ends.get('read', 0)} read, {sums} ended")
    walk.result.expect(ends.get("created", 0) > 0, "the delta created nothing although records were added")
    walk.result.expect(ends.get("updated", 0) > 0, "the delta updated nothing although records were changed")
    walk.result.expect(gone.get("deleted", 0) == made["deleted"], f"delta: {gone.get('deleted', 0)} deletions reported")
    walk.result.expect(gone.get("merged", 0) == made["merged"], f"delta: {gone.get('merged', 0)} merges reported")
    _compare_with_destination(walk, figures, before, "after the delta")
    again = reconcile(walk)
    walk.result.delta = {
        **{name: ends.get(name, 0) for name in ("read", *OUTCOMES)},
        "deleted_at_source": gone.get("deleted", 0),
        "merged_at_source": gone.get("merged", 0),
        **again,
    }


def _send_again(walk: Walk, folder: Path) -> None:
    """The same export once more: compared by hash, nothing of it is new (ruling 28)."""
    upload_all(walk, folder)
    walk.client.post(f"{walk.path}/connections/source/test")  # other files have to be proved again
    run = walk.run("delta")
    ends = stage_sums(run, *_LOADING)
    walk.screen.say(", ".join(f"{name} {ends.get(name, 0)}" for name in ("read", *OUTCOMES)))
    for name in ("created", "updated"):
        walk.result.expect(ends.get(name, 0) == 0, f"the same export again {name} {ends.get(name, 0)} records")
    walk.result.delta = {name: ends.get(name, 0) for name in ("read", *OUTCOMES)}


def move_again(walk: Walk, figures: LedgerFigures, before: Dump) -> None:
    """A second full run over the same engagement finds nothing to create."""
    walk.screen.step("Second full run")
    run = walk.run("full")
    counts = run["counts"]
    walk.screen.say(", ".join(f"{name} {counts.get(name, 0)}" for name in ("read", *OUTCOMES)))
    for name in ("created", "updated"):
        walk.result.expect(counts.get(name, 0) == 0, f"the second full run {name} {counts.get(name)} records")
    _compare_with_destination(walk, figures, before, "after the second full run")


def take_back(walk: Walk, figures: LedgerFigures, before: Dump) -> None:
    """The rollback; the destination's dump has to be what it was before anything was written."""
    walk.screen.step("Rollback")
    run = walk.run("rollback")
    sums = stage_sums(run, "restore", "delete", "verify")
    after = read_dump(walk.destination, STAND_INS[walk.pair[1]].beside, fields=True)
    staying = figures.left_behind()
    for module, ids in sorted(staying.items()):
        reasons = ", ".join(sorted(set(ids.values())))
        walk.screen.say(f"{len(ids)} of {module} stay, because no call takes them away ({reasons})")
    left = differences(before, after, {module: frozenset(ids) for module, ids in staying.items()})
    for one in left:
        walk.screen.warn(one)
    equal = not left
    walk.result.rollback = {"equal": equal, "kept_edits": sums.get("kept_edits", 0)}
    walk.screen.say(
        f"{sums.get('deleted', 0)} deleted, {sums.get('restored', 0)} restored, {sums.get('kept_edits', 0)} kept; "
        f"the destination {'is as it was' if equal else 'differs'}: {before.size} records before, {after.size} after"
    )
    walk.result.expect(equal, "the destination after the rollback is not what it was before the run")


def collect_files(walk: Walk) -> None:
    """Downloads the exports of what does not move, and whatever was too large for the destination."""
    walk.screen.step("Files")
    folder = walk.papers / "files"
    folder.mkdir()
    files = list(walk.client.pages(f"{walk.path}/files"))
    for one in files:
        place = folder / f"{one['id']}-{_safe(one['name'])}"
        walk.client.save(one["content_path"], place)
        with place.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        walk.result.expect(digest == one["sha256"], f"{one['name']} was downloaded with other bytes than announced")
        walk.screen.say(f"{one['kind']} {place.name} ({one['size']:,} bytes)")
    walk.screen.say(f"all of them are in {folder}")
    walk.result.expect(any(one["kind"] == "export" for one in files), "there are no exports of what does not move")


def collect_reports(walk: Walk) -> None:
    """Keeps every report, the oldest first, and the audit log."""
    walk.screen.step("Reports")
    reports = list(walk.client.pages(f"{walk.path}/reports"))
    for number, one in enumerate(reversed(reports), start=1):
        walk.keep(f"{number:03d}-{one['kind']}.json", walk.client.get(f"/v1/reports/{one['id']}").body)
    size = walk.client.save(f"{walk.path}/audit", walk.papers / "audit.ndjson", format="ndjson")
    walk.screen.say(f"{len(reports)} reports and an audit log of {size:,} bytes are in {walk.papers}")


def destination_stats(destination: Client) -> dict[str, Any]:
    """The stand-in's own counters."""
    stats: dict[str, Any] = destination.get("/_sandbox/stats").body
    return stats


def _checked(reports: list[dict[str, Any]]) -> tuple[int, int]:
    """Fields read back, and those that differ."""
    return (
        sum(one["summary"]["checked_fields"] for one in reports),
        sum(one["summary"]["discrepancies"] for one in reports),
    )


def _compare_with_destination(walk: Walk, figures: LedgerFigures, before: Dump, when: str) -> None:
    after = read_dump(walk.destination, STAND_INS[walk.pair[1]].beside)
    faults = count_disagreements(before, after, figures.ours())
    walk.result.faults += [f"{when}: {one}" for one in faults]
    left = figures.open_intents()
    walk.result.expect(left == 0, f"{when}: {left} announced writes have no recorded end")
    if not faults:
        more = after.size - before.size
        walk.screen.say(
            f"ledger and destination agree: {more:,} records, links and files more than before the first run"
        )


def _uuid(run: dict[str, Any]) -> UUID:
    return decode_id("run", run["id"])


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_. " else "_" for letter in name)[-100:]
