"""RSoft read from its CSV export: names become references, tags one spelling each, cells with several phones apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

from pydantic import JsonValue

from app.domain.phones import several_phones
from app.domain.schema import FieldType, Inventory, ObjectSpec, PicklistValue, Record, StageSpec
from connectors.base import ConnectionContext
from connectors.exportkit.catalogue import TableField, fold
from connectors.exportkit.names import Found, NameIndex
from connectors.exportkit.source import AnyTable, ExportSource
from connectors.exportkit.tables import ExportTable
from connectors.rsoft import papers
from connectors.rsoft.catalogue import CATALOGUE, PERSON
from connectors.rsoft.tagging import TagBook
from connectors.rsoft.values import FORECASTS, RELATED, activity_kind, later, minutes, object_behind, person_parts

TIMEZONE = "Asia/Kolkata"
"""Exports write wall time without an offset (fact sheet section 5)."""
_MOST_OPTIONS = 200
_BY_NAME = {"contacts": PERSON, "leads": "name,email", "deals": "name", "companies": "name", "tickets": "subject"}
_PHONES = {"companies": ("phone",), "contacts": ("mobile", "alternate_mobile"), "leads": ("mobile",)}
_REFERENCE = {plural: f"related_{singular}" for singular, plural in RELATED.items()}
_NAMES = (TableField("given_name", "Given Name"), TableField("family_name", "Family Name"))
_NUMBERS = (TableField("more_phones", "More Phones"), TableField("phones_as_written", "Phones As Written"))
_TAGS = (TableField("all_tags", "All Tags", FieldType.MULTIPICKLIST, separator=","),)
_EXTRA: Mapping[str, tuple[TableField, ...]] = {
    "companies": (*_NUMBERS, *_TAGS),
    "contacts": (*_NAMES, *_NUMBERS, *_TAGS),
    "leads": (*_NAMES, *_NUMBERS, *_TAGS),
    "deals": _TAGS,
    "tickets": _TAGS,
    "activities": (
        TableField("kind", "Kind"),
        TableField("minutes", "Minutes", FieldType.DECIMAL),
        TableField("whole_minutes", "Whole Minutes", FieldType.INTEGER),
        TableField("starts_at", "Starts", FieldType.DATETIME),
        TableField("ends_at", "Ends", FieldType.DATETIME),
        *(
            TableField(name, name.replace("_", " ").title(), FieldType.LOOKUP, references=plural)
            for plural, name in _REFERENCE.items()
        ),
        TableField("related_unknown", "Related Record Not Found"),
    ),
}


class RSoftExport(ExportSource):
    """Implements `base.Source` over the uploaded files of one export.

    Beside the options of every upload connection `plan` names the plan of the account, for the audit of custom fields.
    """

    catalogue = CATALOGUE

    def __init__(self, context: ConnectionContext) -> None:
        config = dict(context.config)
        super().__init__(replace(context, config={**config, "timezone": config.get("timezone") or TIMEZONE}))
        self._plan = str(config.get("plan") or "").strip().casefold()
        self._tags: TagBook | None = None
        self._related: dict[str, tuple[NameIndex, int]] = {}
        self._converted: dict[str, str] = {}
        self._papers: dict[str, list[list[str]]] = {}

    # ── hooks ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def extra_fields(self, object_name: str) -> Sequence[TableField]:
        return _EXTRA.get(object_name, ())

    def complete_record(self, object_name: str, record: Record) -> None:
        if object_name in _PHONES:
            spread_phones(record, _PHONES[object_name])
        if object_name in ("contacts", "leads"):
            first, last, whole = (str(record.get(name) or "") for name in ("first_name", "last_name", "name"))
            given, family = person_parts(first, last, whole)
            record |= {name: text for name, text in (("given_name", given), ("family_name", family)) if text}
        if object_name == "activities":
            self._complete_activity(record)
        if self._tags is not None and object_name in _REFERENCE:
            tags = self._tags.of(object_name, str(record["id"]), record.get("tags") or ())
            if tags:
                record["all_tags"] = tags

    def _complete_activity(self, record: Record) -> None:
        """What kind it is, how long it took, and the record it belongs to: by id, by exact name, or nowhere."""
        record["kind"] = activity_kind(str(record.get("type") or ""))
        if length := minutes(str(record.get("duration") or "")):
            record |= {"minutes": length, "whole_minutes": str(max(1, ceil(float(length))))}
        start = next((str(record[name]) for name in ("due_on", "done_on", "created_at") if record.get(name)), "")
        if start:
            record |= {"starts_at": start, "ends_at": later(start, length)}
        given = str(record.get("related_to") or "")
        if not given:
            return
        wanted = object_behind(str(record.get("related_type") or ""))
        known, record_id = self._behind(wanted, given)
        if known == "leads" and record_id in self._converted:  # the lead lives on as that contact
            known, record_id = "contacts", self._converted[record_id]
        if known or wanted:  # what is not told stays as it is: a reference to nothing, by which the activity is held
            record[_REFERENCE[known or wanted]] = record_id or given
        if not known:
            record["related_unknown"] = f"{wanted or 'a record'} {given}"

    def _behind(self, object_name: str, given: str) -> tuple[str, str]:
        """The object and id of a related record. Without a type an id still tells, a name does not."""
        for name in (object_name,) if object_name else _REFERENCE:
            index = self._related.get(name)
            found, record_id = index[0].look(given, index[1]) if index else (Found.UNKNOWN, "")
            if record_id and (object_name or found is Found.ID):
                return name, record_id
        return "", ""

    async def check(self) -> dict[str, JsonValue]:
        """The files' facts; papers made of the export are no files."""
        facts = await super().check()
        made = [len(rows) for rows in self._papers.values()]
        files, rows = facts["files"], facts["rows"]
        assert isinstance(files, int)
        assert isinstance(rows, int)
        return {**facts, "files": files - len(made), "rows": rows - sum(made)}

    async def describe(self) -> Inventory:
        """Beside objects and users the stages of every pipeline, as the account orders them."""
        found = await super().describe()
        uploaded = {name: one for name, one in (await self.tables()).items() if isinstance(one, ExportTable)}
        self._tags = self._tags or await self._tag_book()
        options = tuple(PicklistValue(value=tag, label=tag) for tag in self._tags.known(_MOST_OPTIONS))
        objects = tuple(_with_tags(one, options) for one in found.objects)
        return found.model_copy(update={"objects": objects, "stages": await _stages(uploaded)})

    async def account_facts(self) -> dict[str, JsonValue]:
        """What came against what was expected, fields beyond the plan's cap, and what an export cannot hold."""
        tables = await self.tables()
        facts: dict[str, JsonValue] = {"plan": self._plan or "unknown", "timezone": self.config.timezone}
        for paper in PAPERS:
            facts[paper.name] = [dict(zip(paper.headings, row, strict=True)) for row in self._papers[paper.name]]
        found = papers.findings(self._papers)
        for name, table in tables.items():
            if isinstance(table, ExportTable) and (blanks := _blanks(table, "owner")):
                found.append({"code": "owner_missing", "object": name, "field": "owner", "count": blanks})
        facts["findings"] = [*found]
        return facts

    # ── tables ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def tables(self) -> dict[str, AnyTable]:
        if self._tables is None:
            found = await super().tables()
            uploaded = {name: one for name, one in found.items() if isinstance(one, ExportTable)}
            self._papers = await self._written(uploaded)
            for paper in PAPERS:
                if uploaded:
                    like = next(iter(uploaded.values())).stored
                    rows = self._papers[paper.name]
                    found[paper.name] = papers.paper_table(paper, rows, like, self.shelf, self.zone, self._hooks)
        return await super().tables()

    async def _written(self, uploaded: Mapping[str, ExportTable]) -> dict[str, list[list[str]]]:
        workflows = await _rows(uploaded, "workflows")
        listed = {
            (fold(str(row.get("module") or "")), fold(str(row.get("field_name") or ""))): row.get("active") is not False
            for row in await _rows(uploaded, "custom_fields")
        }
        expected: dict[str, int] = {}
        for line in await _rows(uploaded, "extraction_manifest"):
            obj = CATALOGUE.exactly(str(line.get("object") or ""))
            count = str(line.get("rows") or "")
            if obj is not None and count.isdecimal():
                expected[obj.name] = int(count)
        sources = await _spread(uploaded, "leads", "lead_source")
        gaps = papers.gaps(
            recorded=sum((await _spread(uploaded, "activities", "recording")).values()),
            calls=sources["ivr"],
            chats=sources["whatsapp"],
            numbers=sum((await _spread(uploaded, "contacts", "whatsapp_number")).values()),
            workflows=len(workflows),
        )
        return {
            papers.EXTRACTION.name: await papers.extraction(uploaded, expected),
            papers.AUDIT.name: papers.audit(uploaded, listed, len(workflows), self._plan),
            papers.GAPS.name: gaps,
        }

    async def _prepare(self, table: AnyTable) -> None:
        await super()._prepare(table)
        if table.name in _REFERENCE and self._tags is None:
            self._tags = await self._tag_book()
        if table.name == "activities" and not self._related:
            for name, match_on in _BY_NAME.items():
                if found := await self._references.names(name, match_on):
                    self._related[name] = found
            self._converted = await self._conversions()

    async def _conversions(self) -> dict[str, str]:
        """Contacts by the leads that became them, as far as the export tells."""
        leads = (await self.tables()).get("leads")
        if not isinstance(leads, ExportTable) or not leads.parts:
            return {}
        await super()._prepare(leads)
        return {
            str(record["id"]): str(record["converted_contact"])
            async for record in leads.records(only=("converted_contact",))
            if record.get("converted_contact") and "converted_contact__name" not in record
        }

    async def _tag_book(self) -> TagBook:
        """One pass over the tags of every record and over the list of tags."""
        book = TagBook()
        tables = {name: one for name, one in (await self.tables()).items() if isinstance(one, ExportTable)}
        for name in _REFERENCE:
            column = tables[name].columns.get("tags") if name in tables else None
            if column is not None and column.read is not None:
                async for block in tables[name].rows():
                    for row in block:
                        book.hear(column.read(row.cells[column.index]) or ())
        for entry in await _rows(tables, "tags"):
            kind, tag = object_behind(str(entry.get("record_type") or "")), str(entry.get("tag") or "")
            book.hear((tag,))
            book.add(kind, str(entry.get("record_id") or ""), tag)
        book.close()
        return book

    async def _unresolved(self) -> dict[str, JsonValue]:
        """Adds activities whose related record is told neither by id nor by a name of its own."""
        found = await super()._unresolved()
        table, missing = (await self.tables()).get("activities"), 0
        if isinstance(table, ExportTable) and table.parts:
            await self._prepare(table)
            async for record in table.records(only=("related_type", "related_to")):
                kind, given = (str(record.get(name) or "") for name in ("related_type", "related_to"))
                missing += bool(given) and not self._behind(object_behind(kind), given)[0]
        return {**found, "activities.related_to": {"unknown": missing}} if missing else found


PAPERS = (papers.EXTRACTION, papers.AUDIT, papers.GAPS)


def spread_phones(record: Record, fields: Sequence[str]) -> None:
    """Cells with several numbers: the first stays, the next fills a blank field, the rest is listed beside.

    What the cells said is kept whenever one of them is taken apart.
    """
    written = {name: str(record[name]) for name in fields if record.get(name)}
    numbers = {name: several_phones(text) for name, text in written.items()}
    if all(len(found) < 2 for found in numbers.values()):
        return
    rest: list[str] = []
    for name, found in numbers.items():
        record[name] = found[0]
        rest += [one for one in found[1:] if one not in rest]
    for name in fields:
        if name not in written and rest:
            record[name] = rest.pop(0)
    if rest:
        record["more_phones"] = "; ".join(rest)
    record["phones_as_written"] = " | ".join(written.values())


def _blanks(table: ExportTable, field: str) -> int:
    """Rows in which a field is blank; 0 where the file lacks it."""
    column = table.columns.get(field)
    profile = table.stored.profile
    return profile.rows - profile.columns[column.index].filled if column else 0


def _with_tags(spec: ObjectSpec, options: tuple[PicklistValue, ...]) -> ObjectSpec:
    """The tags that occur stand for the list that a describe would give."""
    fields = (one.model_copy(update={"picklist": options}) if one.name == "all_tags" else one for one in spec.fields)
    return spec.model_copy(update={"fields": tuple(fields)})


async def _stages(tables: Mapping[str, ExportTable]) -> tuple[StageSpec, ...]:
    """Stages by pipeline and position, with probability and outcome; without their file the names that deals use."""
    found: list[tuple[str, int, StageSpec]] = []
    for row in await _rows(tables, "stages"):
        name, pipeline = str(row.get("stage") or ""), str(row.get("pipeline") or "")
        chance, place = str(row.get("probability") or ""), str(row.get("position") or "")
        probability = round(float(chance)) if chance.replace(".", "", 1).isdecimal() else None
        forecast = FORECASTS.get(str(row.get("outcome") or "").strip().casefold(), "")
        stage = StageSpec(name=name, pipeline=pipeline, probability=probability, forecast=forecast)
        if name:
            found.append((pipeline, int(place) if place.isdecimal() else len(found), stage))
    if not found and (used := tables["deals"].columns.get("stage") if "deals" in tables else None):
        values = tables["deals"].stored.profile.columns[used.index].values
        return tuple(StageSpec(name=value.strip()) for value in values if value.strip())
    order = list(dict.fromkeys(pipeline for pipeline, _, _ in found))
    return tuple(stage for _, _, stage in sorted(found, key=lambda one: (order.index(one[0]), one[1])))


async def _rows(tables: Mapping[str, ExportTable], name: str) -> list[Record]:
    """The records of a small table, none where it was not uploaded."""
    table = tables.get(name)
    return [record async for record in table.records()] if table is not None and table.parts else []


async def _spread(tables: Mapping[str, ExportTable], name: str, field: str) -> Counter[str]:
    """How often each value stands in a column, in small letters; blanks and words for no are left out."""
    found: Counter[str] = Counter()
    column = tables[name].columns.get(field) if name in tables else None
    if column is not None:
        async for block in tables[name].rows():
            found.update(row.cells[column.index].strip().casefold() for row in block)
    for word in ("", "no", "n", "false", "0"):
        found.pop(word, None)
    return found
