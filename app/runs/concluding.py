"""The end of a run: accounts for the rest, adds up what the stages found, and stores the run's own report."""

from collections.abc import Sequence
from typing import Any

from app.domain.digest import Leaf, merkle_root
from app.events import emit_raw
from app.runs.accounting import account_for_rest, without_end
from app.runs.certifying import certify
from app.runs.claims import idle
from app.runs.ledger import Outcome
from app.runs.reports import save_report
from app.runs.stages.load import CountsDisagree
from app.runs.standing import both_ends
from app.runs.work import StageRow, Work

_LOADING = frozenset({"load", "link", "note", "file"})
_CERTIFIED = frozenset({"full", "reconcile", "repair"})
_READING = frozenset({"verify", "reconcile"})
_COMPARING = frozenset({"reconcile", "repair"})
_TAKEN_BACK = ("deleted", "restored", "refused", "left_behind", "kept_edits", "kept_referred", "carried_back")
_BOOK_COUNTS = """
    UPDATE runs SET counts = $3 WHERE id = $1 AND fence = $2
    RETURNING set_config('idle_in_transaction_session_timeout', $4, true)
"""
_READY = {
    "sample": "sample.ready",
    "reconcile": "reconciliation.ready",
    "repair": "reconciliation.ready",
    "full": "reconciliation.ready",
}


async def conclude(work: Work, stages: Sequence[StageRow]) -> None:
    """Writes counts and report of a finished run. Raises CountsDisagree when a source record has no end."""
    if work.run.destination_id is None or work.document is None:
        return
    objects = _objects(work, stages)
    readback = _readback(stages)
    if work.run.kind in _CERTIFIED:
        signed = await certify(work, stages)
        if signed is not None:
            readback |= {"root_meant": signed.meant, "root_found": signed.found, "read_again": signed.read_again}
    async with work.transaction() as connection:
        await work.lease.guard(connection, long=True)
        rest: dict[str, dict[str, int]] = {}
        if work.run.kind == "full":
            rest = await account_for_rest(work, connection)
            left = await without_end(work, connection)
            if left:
                raise CountsDisagree(f"source records without an end: {left}")
            objects += [
                {"object": name, "target": "", "load": "", **_outcomes({"skipped": sum(reasons.values())}),
                 "read": sum(reasons.values()), "reasons": {f"skipped:{why}": n for why, n in reasons.items()}}
                for name, reasons in rest.items()
            ]  # fmt: skip
        if work.run.kind == "delta":
            await account_for_rest(work, connection, unloaded=True)
        counts = {
            "objects": objects,
            "readback": readback,
            **({"both_ends": await both_ends(work, connection)} if work.run.kind in _COMPARING else {}),
            **_totals(objects),
            **_rollback(stages),
            **_repair(stages),
            **_fired(stages),
        }
        await save_report(work, connection, work.run.kind, _summary(counts), counts)
        await connection.execute(
            "UPDATE engagements SET updated_at = $2, extraction_mark = CASE WHEN $3 THEN"
            " (SELECT started_at FROM runs WHERE id = $4) ELSE extraction_mark END WHERE id = $1",
            *(work.run.engagement_id, work.now(), work.run.kind == "delta", work.run.id),
        )
        event = _READY.get(work.run.kind)
        if event:
            await emit_raw(
                connection,
                work.run.tenant_id,
                event,
                _summary(counts),
                at=work.now(),
                engagement_id=work.run.engagement_id,
                run_id=work.run.id,
            )
    async with work.transaction() as connection:
        await connection.execute(_BOOK_COUNTS, work.run.id, work.lease.fence, counts, idle(work.lease.seconds))


def _outcomes(counts: dict[str, int]) -> dict[str, int]:
    return {outcome.value: counts.get(outcome.value, 0) for outcome in Outcome}


def _objects(work: Work, stages: Sequence[StageRow]) -> list[dict[str, Any]]:
    """Per load: what was read and how it ended."""
    rows = []
    for stage in stages:
        if stage.kind not in _LOADING:
            continue
        rule = work.mapping().load(stage.load)
        rows.append(
            {
                "object": rule.source_object,
                "target": rule.target_object,
                "load": rule.key,
                "part": rule.part,
                "read": stage.counts.get("read", 0),
                **_outcomes(stage.counts),
                "reasons": stage.detail.get("reasons", {}),
                "changes": stage.detail.get("changes", {}),
            }
        )
    return rows


def _totals(objects: Sequence[dict[str, Any]]) -> dict[str, int]:
    names = ("read", *(outcome.value for outcome in Outcome))
    return {name: sum(int(row[name]) for row in objects) for name in names}


def _readback(stages: Sequence[StageRow]) -> dict[str, Any]:
    """Sums of reading back, and per load the share of records with an owner and of discrepancies. `fill` is how often
    a field was meant to hold something, `fill_found` how often it does at the destination; None where nothing was read.
    """
    reading = [stage for stage in stages if stage.kind in _READING and "checked_fields" in stage.counts]
    if not reading:
        return {}
    return {
        "checked_records": sum(stage.counts["checked_records"] for stage in reading),
        "checked_fields": sum(stage.counts["checked_fields"] for stage in reading),
        "discrepancies": sum(stage.counts["discrepancies"] for stage in reading),
        "loads": {stage.load: {**stage.counts, **_rates(stage)} for stage in reading},
    }


def _rates(stage: StageRow) -> dict[str, Any]:
    """Shares of what was read now: what stands as it was read before has been in no tally of this run."""
    read = stage.counts.get("read_again", stage.counts["checked_records"])
    fields = stage.detail.get("fields", {})
    return {
        "owner_rate": _rate(stage.counts["with_owner"], read),
        "fill": {name: _rate(one["filled"], read) for name, one in fields.items()},
        "fill_found": {name: _rate(one["filled"] - one.get("empty", 0), read) for name, one in fields.items()},
        "differences": stage.detail.get("differences", [])[:50],
    }


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rollback(stages: Sequence[StageRow]) -> dict[str, Any]:
    """What a rollback took away, gave back and left because people had edited it."""
    trial = any(stage.kind == "trial_verify" for stage in stages)
    prefix = "trial_" if trial else ""
    taking = [stage for stage in stages if stage.kind in (f"{prefix}restore", f"{prefix}delete")]
    if not taking:
        return {}
    return {
        "rollback_rehearsal" if trial else "rollback": {
            **{name: sum(stage.counts.get(name, 0) for stage in taking) for name in _TAKEN_BACK},
            "not_asked": [name for stage in taking for name in stage.detail.get("not_asked", [])],
            "kept": [{"load": stage.load, **one} for stage in taking for one in stage.detail.get("kept", [])][:500],
            "refused_records": [one for stage in taking for one in stage.detail.get("refused", [])][:500],
            **{
                name: sum(stage.counts.get(name, 0) for stage in stages if stage.kind == f"{prefix}verify")
                for name in ("still_there", "not_restored", "unreadable")
            },
            **rollback_roots(stages),
        }
    }


def rollback_roots(stages: Sequence[StageRow]) -> dict[str, Any]:
    """Both roots over everything that was taken back, from the roots of the loads: equal when the proof holds."""
    proved = sorted(
        (stage.load, stage.detail["roots"]) for stage in stages if "before" in stage.detail.get("roots", {})
    )
    sides = {
        side: merkle_root(Leaf(load, bytes.fromhex(roots[side])) for load, roots in proved).hex()
        for side in ("before", "after")
    }
    return {"root_before": sides["before"], "root_after": sides["after"], "equal": sides["before"] == sides["after"]}


def _repair(stages: Sequence[StageRow]) -> dict[str, Any]:
    """What a repair corrected, and what it could not."""
    taking = [stage for stage in stages if stage.kind == "repair"]
    if not taking:
        return {}
    names = ("differing", "repaired", "fields", "refused", "equal_now", "gone")
    sums = {name: sum(stage.counts.get(name, 0) for stage in taking) for name in names}
    refused = [{"load": stage.load, **one} for stage in taking for one in stage.detail.get("refused", [])]
    return {"repair": {**sums, "refused_records": refused[:500]}}


def _fired(stages: Sequence[StageRow]) -> dict[str, Any]:
    """What a sample found at the destination that nobody of us wrote."""
    found = next((stage for stage in stages if stage.kind == "fired"), None)
    return {"automation": {**found.counts, **found.detail}} if found else {}


def _summary(counts: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a report, fit for a thin event."""
    summary = {name: value for name, value in counts.items() if isinstance(value, int)}
    readback = counts.get("readback") or {}
    summary.update({key: readback[key] for key in ("checked_records", "checked_fields", "discrepancies") if readback})
    for name in ("rollback", "rollback_rehearsal", "repair"):
        summary.update({key: value for key, value in (counts.get(name) or {}).items() if isinstance(value, int)})
    return summary
