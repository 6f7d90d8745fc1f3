"""Papers made of the export itself: what came, which custom fields exceed the plan, what an export cannot hold.

Each is a small table of the source, so that runs hand it over as a file like any other.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from pydantic import JsonValue

from connectors.column_votes import ColumnVote, vote_columns
from connectors.exportkit.catalogue import TableField, TableObject, fold
from connectors.exportkit.tables import ExportTable, Hooks, open_table
from connectors.rsoft.catalogue import CATALOGUE
from connectors.table_files import StoredTable, TableProfile, TableShelf
from connectors.tabular import Row

FIELD_CAP = 5
"""Custom fields on the Standard and Advanced plans (fact sheet section 5); counted per module, which it leaves open."""
WORKFLOW_CAP = 5
CAPPED_PLANS = frozenset({"standard", "advanced"})
_MODULES = {"companies": "Companies", "contacts": "Contacts", "leads": "Leads", "deals": "Deals", "tickets": "Tickets"}


@dataclass(frozen=True)
class Paper:
    """A table that is made here; the first heading holds its key."""

    name: str
    label: str
    headings: tuple[str, ...]

    @property
    def object(self) -> TableObject:
        fields = tuple(TableField(fold(heading), heading) for heading in self.headings)
        return TableObject(self.name, self.label, fields, key=(fields[0].name,), required=False)


EXTRACTION = Paper(
    "extraction", "Extraction Manifest Checked",
    ("Object", "Order", "File", "Expected", "Came", "Rejected", "Without Id", "Repeated", "State"),
)  # fmt: skip
AUDIT = Paper("custom_field_audit", "Custom Field Audit", ("Field", "Module", "Filled", "Rows", "Verdict"))
GAPS = Paper("data_gaps", "Data Gap Register", ("Gap", "Where It Is", "Evidence", "Decision"))

PaperRows = Sequence[Sequence[str]]
_WITHIN, _UNLISTED, _ABSENT = "within the plan", "not in the account's list", "listed, but not in the file"
_SOUND = frozenset({_WITHIN, _UNLISTED, _ABSENT})


def paper_table(
    paper: Paper, rows: PaperRows, like: StoredTable, shelf: TableShelf, zone: tzinfo | None, hooks: Hooks
) -> ExportTable:
    """The paper as a table; `like` lends the shape of an uploaded file and its time."""
    votes = [ColumnVote(heading, heading, place) for place, heading in enumerate(paper.headings)]
    vote_columns(votes, rows)
    columns = tuple(vote.profile() for vote in votes)
    profile = TableProfile(dialect=like.profile.dialect, rows=len(rows), columns=columns)
    stored = StoredTable(f"{paper.name} (made of the export)", 0, like.uploaded_at, profile)

    async def read() -> AsyncIterator[list[Row]]:
        yield [Row(number, list(cells)) for number, cells in enumerate(rows, start=2)]

    return open_table(paper.object, stored, shelf, zone, hooks, rows=read)


async def extraction(tables: Mapping[str, ExportTable], expected: Mapping[str, int]) -> list[list[str]]:
    """One row per object in the order of dependency. `expected` are the manifest's counts by object."""
    found: list[list[str]] = []
    for number, obj in enumerate((one for one in CATALOGUE.objects if one.name != "extraction_manifest"), start=1):
        table, wanted = tables.get(obj.name), expected.get(obj.name)
        told = "" if wanted is None else str(wanted)
        if table is None:
            state = "missing" if wanted or obj.required else "not delivered"
            found.append([obj.name, str(number), "", told, "", "", "", "", state])
            continue
        layout = await table.keyed.layout() if table.parts else None
        rejected = sum(table.stored.profile.rejected.values())
        came = table.stored.profile.rows
        state = "not in manifest" if wanted is None else "complete" if came == wanted else "differs"
        bare, again = (layout.without_key, layout.duplicates or 0) if layout else (came, 0)
        counts = (came, rejected, bare, again)
        found.append([obj.name, str(number), table.stored.name, told, *map(str, counts), state])
    return found


def audit(
    tables: Mapping[str, ExportTable], listed: Mapping[tuple[str, str], bool], workflows: int, plan: str
) -> list[list[str]]:
    """Custom columns of every module against the plan's cap. `listed` are the account's own fields: active or not.

    The fields filled most stay within the cap; those beyond it, and those switched off, are for a person to look at.
    """
    rows: list[list[str]] = []
    for name, module in _MODULES.items():
        table = tables.get(name)
        columns = [one for one in table.columns.values() if one.spec.custom] if table else []
        filled = {one.index: _filled(table, one.index) for one in columns} if table else {}
        ranked = sorted(
            columns, key=lambda one: (listed.get(_key(module, one.spec.label)) is False, -filled[one.index], one.index)
        )
        seen = set()
        for rank, column in enumerate(ranked):
            key = _key(module, column.spec.label)
            seen.add(key)
            verdict = _verdict(rank, listed.get(key, None if listed else True), plan)
            total = table.stored.profile.rows if table else 0
            rows.append([f"{module}: {column.spec.label}", module, str(filled[column.index]), str(total), verdict])
        absent = [label for (owner, label) in listed if owner == fold(module) and (owner, label) not in seen]
        rows += [[f"{module}: {label}", module, "0", "0", _ABSENT] for label in absent]
    if workflows > WORKFLOW_CAP:
        over = f"{workflows} workflows, the Standard and Advanced plans allow {WORKFLOW_CAP}"
        rows.append(["Account: workflows", "Account", str(workflows), str(workflows), over])
    return rows


def _verdict(rank: int, active: bool | None, plan: str) -> str:
    if active is False:
        return "orphaned: switched off, its values are still exported"
    if rank >= FIELD_CAP:
        known = plan in CAPPED_PLANS
        return (
            "orphaned: beyond the five fields of the plan"
            if known
            else "beyond the five fields of Standard and Advanced"
        )
    return _UNLISTED if active is None else _WITHIN


def _key(module: str, label: str) -> tuple[str, str]:
    return fold(module), fold(label)


def _filled(table: ExportTable, index: int) -> int:
    return next((one.filled for one in table.stored.profile.columns if one.index == index), 0)


def findings(written: Mapping[str, PaperRows]) -> list[dict[str, JsonValue]]:
    """What a person should look at before anything moves, for the preflight's report."""
    found: list[dict[str, JsonValue]] = []
    for name, _, _, expected, came, *_, state in written.get(EXTRACTION.name, ()):
        if state in ("missing", "differs"):
            lacking = abs(int(expected or 0) - int(came or 0))
            found.append({"code": f"extraction_{state}", "object": name, "count": max(1, lacking)})
    for field, module, filled, _, verdict in written.get(AUDIT.name, ()):
        if verdict not in _SOUND:
            code = "field_orphaned" if verdict.startswith("orphaned") else "field_beyond_cap"
            found.append({"code": code, "object": module.lower(), "field": field, "count": int(filled)})
    found += [{"code": "data_gap", "field": gap, "count": 1} for gap, *_ in written.get(GAPS.name, ())]
    return found


def gaps(recorded: int, calls: int, chats: int, numbers: int, workflows: int) -> list[list[str]]:
    """What no export holds, with what in the export hints at it; a person decides on each."""
    return [
        [
            "IVR call recordings",
            "Telephony module; audio is no part of the CSV",
            f"{recorded} calls are marked as recorded",
            "Download the audio while the account lives, or give it up in writing",
        ],
        [
            "IVR and autodialer logs",
            "Telephony module; only calls logged by hand are exported",
            f"{calls} leads came by IVR",
            "Ask the vendor for the log, or accept that only the calls in activities.csv move",
        ],
        [
            "WhatsApp conversations",
            "WhatsApp add-on; chats are no part of the CSV",
            f"{numbers} contacts have a WhatsApp number, {chats} leads came by WhatsApp",
            "Export chats from the phones that matter, or accept that only the numbers move",
        ],
        [
            "Workflow definitions",
            "Settings; nothing exports them",
            f"{workflows} workflows were written down" if workflows else "no list was delivered",
            "Write them down as workflows.csv, then build them again from the inventory",
        ],
    ]
