"""The judgement of a rehearsal: raw rows and the destination's own dump, never what a run says of itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from app.demo import moving
from app.demo.counting import OUTCOMES, LedgerFigures
from app.demo.dumps import Dump, differences, read_dump
from app.demo.standins import STAND_INS
from app.demo.walking import Walk, stage_sums
from app.domain.digest import Leaf, merkle_root
from app.rehearsal import rows as raw
from app.rehearsal.outcome import Outcome
from app.rehearsal.rows import Rows

_LOADING = ("load", "link", "note", "file")


class Judge:
    """Compares raw rows with the destination's own data after each run."""

    def __init__(
        self,
        walk: Walk,
        rows: Rows,
        figures: LedgerFigures,
        before: Dump,
        outcome: Outcome,
        ids: tuple[Any, Any],
    ) -> None:
        self._walk = walk
        self._rows = rows
        self._figures = figures
        self._before = before
        self._outcome = outcome
        self._ids = ids

    def after(self, when: str, run: dict[str, Any]) -> None:
        """Exactly one destination record per planned write, none unknown, and sums that add up."""
        now = self._dump()
        ours = self._figures.ours()
        doubled, missing = 0, 0
        for module in {*ours, *now.records} - {"Relations"}:
            new = now.ids(module) - self._before.ids(module)
            mine = ours.get(module, frozenset())
            doubled += len(new - mine)
            missing += len(mine - new)
            if mine or new:
                seen = self._outcome.objects.setdefault(module, {"records": 0, "duplicates": 0, "missing": 0})
                seen["records"] = len(mine)
                seen["duplicates"] += len(new - mine)
                seen["missing"] += len(mine - new)
            if links := new & now.links.get(module, set()):
                shown = self._outcome.objects.setdefault(f"{module} (link)", {"duplicates": 0, "missing": 0})
                shown["records"] = len(mine & links)
                shown["duplicates"] += len(links - mine)
        doubled += raw.shared_records(self._rows, *self._ids)
        unknown = raw.open_intents(self._rows, self._ids[0]) + raw.unnamed(self._rows, self._ids[0])
        self._note(when, "duplicates", doubled, "records at the destination that no ledger row accounts for")
        self._note(when, "missing", missing, "records of the ledger that the destination does not have")
        self._note(when, "unknown", unknown, "writes whose end nobody knows")
        if "full" in when:
            lost = raw.without_end(self._rows, *self._ids)
            self._note(when, "without_end", lost, "source records without an end")
        unbalanced = raw.unbalanced(self._rows, self._ids[0])
        self._outcome.unbalanced += len(unbalanced)
        self._outcome.broken += [f"{when}: {one}" for one in unbalanced]
        trial = stage_sums(run, "trial_restore", "trial_delete", "trial_verify")
        if not trial.get("refused"):  # what the destination refused stays until the rollback proper
            self._proved(f"{when}, rehearsed rollback", trial)
        sums = stage_sums(run, *_LOADING)
        self._walk.screen.say(
            f"{when}: {doubled} duplicates, {missing} missing, {unknown} unknown; "
            + ", ".join(f"{name} {sums.get(name, 0)}" for name in OUTCOMES)
        )

    def read_back(self) -> None:
        """The product's own reconciliation through the vendor's API: no field may differ."""
        found = moving.reconcile(self._walk)
        self._outcome.discrepancies += found["discrepancies"]

    def rolled_back(self, run: dict[str, Any]) -> None:
        """Both roots over all that lives at the destination, before and after; and the run's own proof agrees."""
        after = dump_of(self._walk, fields=True)
        staying = {module: frozenset(ids) for module, ids in self._figures.left_behind().items()}
        self._outcome.left_behind = {module: len(ids) for module, ids in staying.items() if ids}
        roots = {"before": root_of(self._before), "after": root_of(after, staying)}
        self._outcome.roots = roots
        equal = roots["before"] == roots["after"]
        self._outcome.unequal_roots += not equal
        self._outcome.expect(equal, f"rollback: {differences(self._before, after, staying)}")
        sums = stage_sums(run, "restore", "delete", "verify")
        self._outcome.restored = sums.get("restored", 0)
        self._proved("rollback", sums)
        self._walk.screen.say(
            f"{sums.get('deleted', 0)} deleted, {sums.get('restored', 0)} restored, {sums.get('kept_edits', 0)} kept; "
            f"roots {'equal' if equal else 'differ'}"
        )

    def _proved(self, when: str, sums: Mapping[str, int]) -> None:
        """What the product itself read back after taking records away."""
        for name in ("not_restored", "still_there"):
            self._outcome.expect(not sums.get(name), f"{when}: its own proof finds {sums.get(name)} {name}")

    def _dump(self) -> Dump:
        return dump_of(self._walk)

    def _note(self, when: str, name: str, number: int, text: str) -> None:
        setattr(self._outcome, name, getattr(self._outcome, name) + number)
        self._outcome.expect(number == 0, f"{when}: {number} {text}")


def dump_of(walk: Walk, *, fields: bool = False) -> Dump:
    """What lives at the destination now, without what its stand-in counts beside the records."""
    return read_dump(walk.destination, STAND_INS[walk.pair[1]].beside, fields=fields)


def root_of(dump: Dump, without: Mapping[str, frozenset[str]] = MappingProxyType({})) -> str:
    """A Merkle root over every live record, link and file of a destination, in hexadecimal.

    `without` are ids per module that no call of the vendor takes away (ruling 24).
    """
    leaves = (
        Leaf(f"{module}/{one}", digest)
        for module in sorted(dump.records)
        for one, digest in sorted(dump.records[module].items())
        if one not in without.get(module, frozenset())
    )
    return merkle_root(leaves).hex()
