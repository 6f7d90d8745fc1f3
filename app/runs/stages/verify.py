"""Reading back: what the destination holds now, field by field, against what we meant to write (ruling 32)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.diffing import Verdict, diff_record
from app.domain.json_texts import json_text
from app.domain.mapping import Load, LoadMode
from app.domain.masking import mask_values, masked
from app.domain.schema import FieldSpec
from app.domain.values import exact_json
from app.runs.expecting import Written, checked_specs, computed_anew, written
from app.runs.held import held_now
from app.runs.hiding import NOTHING_HIDDEN, Hidden, hidden_fields
from app.runs.proving import prove
from app.runs.reports import save_report
from app.runs.schema_lost import demand_all
from app.runs.work import StageRow, Work
from app.runs.writers import parent_of

_LISTED = 1000


async def verify(work: Work, stage: StageRow) -> None:
    """Reads back what this run wrote. A sample keeps the values side by side (sealed); others keep differences."""
    if work.run.kind == "rollback":
        await prove(work, stage)
        return
    rule = work.mapping().load(stage.load)
    tally = Tally(
        keep_values=work.run.kind == "sample", owner=owner_field(work, rule), hidden=hidden_fields(work, rule)
    )
    if rule.mode is LoadMode.FILE:
        async for page in written(work, rule, this_run=True):
            await compare_files(work, rule, page, tally)
    else:
        await _verify_records(work, rule, tally)
    if tally.differing:
        await demand_all(work, rule)
    stage.counts = tally.counts()
    stage.detail = {"fields": tally.fields, "owners": tally.owned, "differences": tally.listed[:200]}
    await keep_readback(work, stage, rule, tally)


async def keep_readback(work: Work, stage: StageRow, rule: Load, tally: "Tally") -> None:
    """The report of what was read back, and what the platform is known to compute anew beside the differences."""
    if expected := computed_anew(work, rule):
        stage.detail["expected"] = expected
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await save_report(
            work, connection, "readback", {"load": rule.key, **stage.counts}, {"rows": tally.rows, "load": rule.key}
        )


def owner_field(work: Work, rule: Load) -> str:
    """The API name of the field that holds a record's owner at the destination, "" where the load sets none."""
    owner = next((one for one in rule.fields if one.owner), None)
    return work.field_name(rule.target_object, owner.target) if owner else ""


class Tally:
    """Counts of a reading back; `rows` may hold values and goes into the sealed body only."""

    def __init__(self, *, keep_values: bool, owner: str = "", hidden: Hidden = NOTHING_HIDDEN) -> None:
        """`owner` is the API name of the owner field."""
        self.keep_values = keep_values
        self._hidden = hidden
        self._owner = owner
        self.records = 0
        self.checked = 0
        self.differing = 0
        self.gone = 0
        self.owned = 0
        self.fields: dict[str, dict[str, int]] = {}
        self.listed: list[dict[str, str]] = []
        self.rows: list[dict[str, Any]] = []

    def counts(self) -> dict[str, int]:
        return {
            "checked_records": self.records,
            "checked_fields": self.checked,
            "discrepancies": self.differing + self.gone,
            "gone": self.gone,
            "with_owner": self.owned,
        }

    def missing(self, one: Written) -> None:
        self.records += 1
        self.gone += 1
        self._list(one, "", "missing", "record")

    def compare(self, one: Written, got: Mapping[str, Any], specs: Mapping[str, FieldSpec]) -> bool:
        """Counts one record; whether all its fields are as meant."""
        self.records += 1
        self.owned += bool(self._owner and got.get(self._owner))
        sent = {name: value for name, value in one.sent.items() if name in specs}
        verdicts: Counter[str] = Counter()
        rows = []
        for diff in diff_record(sent, got, {name: specs[name] for name in sent}):
            self.checked += 1
            verdicts[diff.verdict] += 1
            filled = self.fields.setdefault(diff.field, {"filled": 0, "different": 0})
            filled["filled"] += 1
            if diff.verdict is not Verdict.EQUAL:
                self.differing += 1
                filled["different"] += 1
                if got.get(diff.field) in (None, "", []):
                    filled["empty"] = filled.get("empty", 0) + 1
                self._list(one, diff.field, diff.verdict.value, diff.kind.value)
            if self.keep_values or diff.verdict is not Verdict.EQUAL:
                rows.append(
                    {
                        "field": diff.field,
                        "verdict": diff.verdict.value,
                        "kind": diff.kind.value,
                        "sent": self._fit(diff.field, sent.get(diff.field)),
                        "got": self._fit(diff.field, got.get(diff.field)),
                    }
                )
        if rows and (self.keep_values or len(self.rows) < _LISTED):
            self.rows.append(
                {
                    "source_id": one.source_id,
                    "record_id": one.record_id,
                    "source": self._source(one),
                    "fields": rows,
                    "different": verdicts.total() - verdicts[Verdict.EQUAL],
                }
            )
        return verdicts.total() == verdicts[Verdict.EQUAL]

    def _fit(self, name: str, value: Any) -> Any:
        return masked(_shown(value)) if name in self._hidden.sent else _shown(value)

    def _source(self, one: Written) -> Any:
        if one.source is None:
            return None
        return mask_values(one.source, one.source if self._hidden.whole else self._hidden.source)

    def _list(self, one: Written, name: str, verdict: str, kind: str) -> None:
        if len(self.listed) < _LISTED:
            self.listed.append(
                {
                    "source_id": one.source_id,
                    "record_id": one.record_id,
                    "field": name,
                    "verdict": verdict,
                    "kind": kind,
                }
            )


def _shown(value: Any) -> Any:
    """A value fit for a JSON report; exact numbers as text."""
    if value is None or isinstance(value, str | bool | int | list | dict):
        return value
    return bytes(value).decode() if hasattr(value, "__bytes__") else str(value)


async def _verify_records(work: Work, rule: Load, tally: Tally) -> None:
    specs = await checked_specs(work, rule)
    async for page in written(work, rule, this_run=True, theirs=False):
        names = sorted({field for one in page for field in one.sent if field in specs})
        got = await read_back(work, rule, page, names)
        for one in page:
            record = got.get(one.record_id)
            if record is None:
                tally.missing(one)
            else:
                tally.compare(exact(one), record, specs)


async def read_back(work: Work, rule: Load, page: Sequence[Written], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the destination holds of these records now, by their ids there; what is gone is absent."""
    facts = work.destination_platform.object_facts(rule.target_object)
    places = {
        # without the parent's id nobody knows where it hangs
        one.record_id: parent_of(one.sent, facts.parent_field, facts.parent_object_field)
        if one.sent.get(facts.parent_field) is not None
        else None
        for one in page
    }
    return await held_now(work, rule, places, names)


def exact(one: Written) -> Written:
    """Payloads hold exact numbers as JSON fragments; parse them the way answers are parsed."""
    one.sent = exact_json(json_text(one.sent))
    return one


async def compare_files(work: Work, rule: Load, page: Sequence[Written], tally: Tally) -> dict[str, Any]:
    """A file is there when its parent lists it under its name with its size (links have none).

    Per source id: True when it is, what is listed when that differs, None when it is gone.
    """
    destination = await work.destination()
    facts = work.destination_platform.object_facts(rule.target_object)
    lists: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    found: dict[str, Any] = {}
    for one in page:
        parent = parent_of(one.sent, facts.parent_field, facts.parent_object_field)
        if parent not in lists:
            children = await destination.children(rule.target_object, *parent)
            lists[parent] = {str(child.get("id")): child for child in children}
        child = lists[parent].get(one.record_id)
        if child is None:
            tally.missing(one)
            found[one.source_id] = None
            continue
        size = int((one.source or {}).get("Size") or -1)  # signatures announce none
        sent: dict[str, Any] = {"File_Name": one.sent["name"]}
        got: dict[str, Any] = {"File_Name": child.get("File_Name")}
        if 0 <= size <= work.destination_platform.limits.file_bytes:
            sent["Size"], got["Size"] = str(size), str(child.get("Size"))
        one.sent = sent
        equal = tally.compare(one, got, {key: FieldSpec(name=key) for key in sent})
        found[one.source_id] = True if equal else got
    return found
