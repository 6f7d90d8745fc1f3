"""Calls, credits and time that a plan will cost, from the destination's batch sizes and limits."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from app.domain.schema import Frozen

WRITING = frozenset({"load", "link", "note", "file", "restore", "delete", "reassign"})
_ONE_BY_ONE = frozenset({"file"})
_READ_BACK = 500
"""Records that are read back together."""


class CallFacts(Frozen):
    """Limits of both sides.

    `batch` is records per write call by destination object ("*" for the rest), `single` objects that take one record
    per call. `listed` objects are read back through the list of their parent, one call each at most. Every load into
    another object asks once how many records carry our key. `wide` objects have more fields than one read call takes:
    object → calls per page. `records_per_credit` is how many written records cost one credit (0: a call costs one).
    Latencies are seconds per call, `quota_window` is the length of the credit window in seconds. `calls_per_batch` says
    what one full batch costs where that is more than one call, `insert_batch`, `read_batches` and `delete_batches` are
    the sizes of objects that differ from the rest. Records of `with_parent` objects are written with their parent, one
    call for each; `calls_per_batch` are then what looking at a page of these costs. Of `credits_per_window`, `reserve`
    is the share left to others.
    """

    batch: dict[str, int] = {"*": 100}
    calls_per_batch: dict[str, int] = {}
    calls_per_object: int = 0
    read_batches: dict[str, int] = {}
    delete_batches: dict[str, int] = {}
    single: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    keyless: tuple[str, ...] = ()
    with_parent: tuple[str, ...] = ()
    wide: dict[str, int] = {}
    delete_batch: int = 100
    reassign_batch: int = 500
    records_per_credit: int = 10
    read_back_batch: int = 100
    source_page: int = 2_000
    concurrency: int = 5
    latency: float = 0.3
    source_latency: float = 0.5
    seconds_per_file: float = 1.0
    credits_per_window: int | None = None
    credits_left: int | None = None
    reserve: float = 0.0
    quota_window: float = 86_400.0


class StageCalls(Frozen):
    """Forecast of one stage: `reads` are calls at the source or for reading back."""

    writes: int = 0
    reads: int = 0
    credits: int = 0


class Forecast(Frozen):
    """The whole plan: calls, credits of the destination, and how long it takes (seconds; waiting included)."""

    write_calls: int = 0
    read_calls: int = 0
    source_calls: int = 0
    credits: int = 0
    busy_seconds: float = 0.0
    waiting_seconds: float = 0.0
    windows: int = 1

    @property
    def seconds(self) -> float:
        return self.busy_seconds + self.waiting_seconds


def calls_for(records: int, batch: int) -> int:
    """⌈records / batch⌉. Raises ValueError for a batch below one or a negative count."""
    if batch < 1 or records < 0:
        raise ValueError("batch must be at least 1 and records not negative")
    return -(-records // batch)


def write_credits(records: int, batch: int, per_credit: int) -> int:
    """Credits of all write calls: each costs one per started `per_credit` records (Zoho fact sheet section 4)."""
    full, rest = divmod(records, batch)
    if per_credit < 1:
        return full + bool(rest)
    return full * calls_for(batch, per_credit) + calls_for(rest, per_credit)


def forecast_stage(kind: str, target: str, records: int, facts: CallFacts, parents: int | None = None) -> StageCalls:
    """Calls and credits of a stage of `kind` with that many records of the destination object `target`.

    `parents`: on how many these hang, where that is known; otherwise each counts as on one of its own.
    """
    if kind == "extract":
        return StageCalls(reads=calls_for(records, facts.source_page))
    if kind not in WRITING | {"verify", "reconcile"}:
        return StageCalls()
    if target in facts.with_parent:
        return _with_parents(kind, target, records, facts, records if parents is None else min(parents, records))
    if kind in {"verify", "reconcile"}:
        pages = calls_for(records, _read_batch(target, facts)) * facts.wide.get(target, 1)
        reads = records if target in facts.listed else pages
        return StageCalls(reads=reads, credits=reads)
    if kind in _ONE_BY_ONE or target in facts.single:
        return StageCalls(writes=records, credits=records)
    return (
        _taken_back(kind, target, records, facts)
        if kind in {"delete", "reassign"}
        else _written(kind, target, records, facts)
    )


def _taken_back(kind: str, target: str, records: int, facts: CallFacts) -> StageCalls:
    most = facts.delete_batches.get(target, facts.delete_batches.get("*", facts.delete_batch))
    writes = calls_for(records, most if kind == "delete" else facts.reassign_batch)
    looked = calls_for(records, _read_batch(target, facts)) * facts.wide.get(target, 1)  # has a person edited it?
    reads = looked if kind == "delete" else 0
    return StageCalls(writes=writes, reads=reads, credits=writes + reads)


def _written(kind: str, target: str, records: int, facts: CallFacts) -> StageCalls:
    batch = facts.batch.get(target, facts.batch.get("*", 100))
    asked = int(kind == "load" and target not in facts.keyless)
    writes = calls_for(records, batch) * facts.calls_per_batch.get(target, 1)
    credits = writes if facts.records_per_credit < 1 else write_credits(records, batch, facts.records_per_credit)
    return StageCalls(writes=writes, reads=asked, credits=credits + asked)


def _with_parents(kind: str, target: str, records: int, facts: CallFacts, parents: int) -> StageCalls:
    """Lines of a deal: each batch looks at the deals it is about, then writes each of them as a whole."""
    more, page = facts.calls_per_batch.get(target, 1) - 1, _read_batch(target, facts)
    if kind in {"verify", "reconcile"}:
        reads = calls_for(parents, page) + more * calls_for(records, _READ_BACK)
        return StageCalls(reads=reads, credits=reads)
    if kind == "reassign":  # they have no owner of their own
        return StageCalls()
    most = facts.delete_batches.get(target, facts.delete_batch)
    size = most if kind == "delete" else facts.batch.get(target, facts.batch.get("*", 100))
    batches = calls_for(records, size)
    looks = batches * (calls_for(calls_for(parents, max(1, batches)), page) + more)
    cut = max(0, batches - 1) if parents < records else 0  # a parent's records may end in the next batch
    calls = parents + min(cut, parents)
    return StageCalls(writes=calls, reads=looks, credits=calls + looks)


def _read_batch(target: str, facts: CallFacts) -> int:
    return facts.read_batches.get(target, facts.read_batches.get("*", facts.read_back_batch))


def forecast_plan(stages: Sequence[Mapping[str, Any]], facts: CallFacts, *, objects: int = 0) -> Forecast:
    """Sums stages (mappings with kind, write_calls, read_calls, credits) and turns them into time.

    Calls of one account run `concurrency` at a time; when the credits of the window are spent, the run waits for the
    next one. `objects` of the destination are asked about once a run.
    """
    at_source = sum(stage["read_calls"] for stage in stages if stage["kind"] == "extract")
    asked = objects * facts.calls_per_object
    reads = asked + sum(stage["read_calls"] for stage in stages if stage["kind"] != "extract")
    writes = sum(stage["write_calls"] for stage in stages)
    files = sum(stage["write_calls"] for stage in stages if stage["kind"] in _ONE_BY_ONE)
    spent = asked + sum(stage["credits"] for stage in stages)
    lanes = max(1, facts.concurrency)
    busy = ((writes - files + reads) * facts.latency + files * facts.seconds_per_file) / lanes
    busy += at_source * facts.source_latency
    windows = _windows(spent, facts)
    return Forecast(
        write_calls=writes,
        read_calls=reads,
        source_calls=at_source,
        credits=spent,
        busy_seconds=round(busy, 3),
        waiting_seconds=(windows - 1) * facts.quota_window,
        windows=windows,
    )


def _windows(spent: int, facts: CallFacts) -> int:
    """Credit windows that the plan stretches over, the current one included."""
    if not facts.credits_per_window:
        return 1
    kept = ceil(facts.credits_per_window * facts.reserve)
    ours = max(1, facts.credits_per_window - kept)
    left = ours if facts.credits_left is None else max(0, facts.credits_left - kept)
    beyond = max(0, spent - left)
    return 1 + calls_for(beyond, ours)
