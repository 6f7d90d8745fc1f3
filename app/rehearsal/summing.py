"""Many schedules in one table: how many ran, what struck how often, and what must be zero. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

ZEROS = ("duplicates", "missing", "unknown", "without_end", "unbalanced", "unequal_roots", "discrepancies")
_ADDED = ("settled", "restored", "refused", "repaired", "workers_lost", "client_retries")


def summarise(figures: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums of the figures that `tranship rehearse` writes, over any number of schedules and pairs.

    `written` are the planned writes of the full runs that the invariants were checked over, `calls` what these runs
    asked of the destination; `broken` are sentences with the schedule that they belong to.
    """
    injected, sums, pairs = Counter[str](), Counter[str](), Counter[str]()
    slowest: list[float] = []
    broken: list[str] = []
    for one in figures:
        pairs[one["pair"]] += 1
        injected.update(one["injected"])
        for name in (*ZEROS, *_ADDED):
            sums[name] += one.get(name, 0)
        sums["written"] += one["moved"].get("read", 0)
        sums["calls"] += one["calls"].get("made", 0)
        slowest.append(one["slowest_resume"])
        broken += [f"{one['pair']} {one['seed']}: {sentence}" for sentence in one["broken"]]
    return {
        "schedules": pairs.total(),
        "pairs": dict(sorted(pairs.items())),
        "faults": injected.total(),
        "injected": dict(sorted(injected.items())),
        **{name: sums[name] for name in (*ZEROS, "written", "calls", *_ADDED)},
        "slowest_resume": max(slowest, default=0.0),
        "broken": broken,
    }


def rows_of(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The summary as rows of a table; kinds of faults first."""
    rows = [("schedules", f"{summary['schedules']} ({', '.join(f'{n} {p}' for p, n in summary['pairs'].items())})")]
    rows += [(f"fault {name}", str(number)) for name, number in summary["injected"].items()]
    names = ("faults", *ZEROS, "written", "calls", *_ADDED, "slowest_resume")
    rows += [(name.replace("_", " "), str(summary[name])) for name in names]
    return [*rows, ("broken", str(len(summary["broken"])))]
