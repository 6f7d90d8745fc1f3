"""A clinic's export as a source: tables, custom fields hidden in values, repeated persons, and scanned papers."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from app.domain.schema import FieldSpec, Inventory, ObjectSpec, Record
from app.domain.schema import FieldType as T
from connectors.base import ConnectionContext, Deletion, FileRef, FileStream, Page
from connectors.clinic import papers
from connectors.clinic import tables_people as people_tables
from connectors.clinic.catalogue import CATALOGUE
from connectors.clinic.collecting import gather_lines, gather_plans, know_people, share_emails
from connectors.clinic.foreign import foreign_object
from connectors.clinic.gathering import Gathered
from connectors.clinic.identity import person_id, repeated_person
from connectors.clinic.shaping import EXTRA, WITH_PATIENT, Shaper, fallback_fields, practice_id
from connectors.clinic.sheets import HiddenSurvey, find_json, sheet_rows
from connectors.errors import BatchRefused, ContractBroken, CredentialsRejected
from connectors.exportkit.absence import Missing
from connectors.exportkit.catalogue import TableField, TableObject
from connectors.exportkit.nested import DerivedObject, DerivedTable
from connectors.exportkit.source import AnyTable, ExportSource
from connectors.exportkit.tables import ExportTable, open_table
from connectors.tabular import Row

_PRACTICES = TableObject(
    "practices",
    "Referring practice",
    (
        TableField("id", "Practice id", T.ID),
        *(
            TableField(name, name.replace("_", " ").capitalize())
            for name in ("name", "territory", "specialty", "phone", "fax", "address", "address2", "city", "state",
                         "postal_code", "country")
        ),
    ),
)  # fmt: skip
_PERSONS = TableObject(
    "patients",
    "Patient",
    (
        TableField("id", "Patient id", T.ID),
        TableField("first_name", "First name"),
        TableField("last_name", "Last name"),
        TableField("birth_date", "Birth date", T.DATE, sensitive=True),
        TableField("medicare_no", "Medicare no", sensitive=True),
        *EXTRA["patients"],
    ),
)
_PLACES = 6
_OF_PEOPLE = frozenset({"patients", "referrers", papers.OBJECT, *WITH_PATIENT})


class ClinicConfig(BaseModel):
    """Options beside those of every upload: an appointment that lasts fewer minutes becomes a task."""

    model_config = ConfigDict(extra="ignore")

    visit_minutes: int = Field(default=10, ge=1, le=600)


class PersonsTable(DerivedTable):
    """Patients out of tables that repeat the person in every row; the first row of a person counts."""

    def __init__(self, bases: Sequence[ExportTable], source: "ClinicSource") -> None:
        self._bases = bases
        super().__init__(
            DerivedObject(_PERSONS, bases[0].name, lambda _: ()), bases[0], source.shelf, source.complete_record
        )
        self._shape = source.complete_record

    async def _rows(self) -> AsyncIterator[list[Row]]:
        for base in self._bases:
            async for record in base.records(resolved=False):
                name, key = repeated_person(record)
                if not key:
                    continue
                values = {
                    "first_name": name.given, "last_name": name.family, "birth_date": record.get("patient_dob"),
                    "medicare_no": record.get("patient_medicare"),
                }  # fmt: skip
                person: Record = {"id": person_id(key)} | {field: value for field, value in values.items() if value}
                self._shape("patients", person)
                yield [Row(0, [person["id"], orjson.dumps(person).decode()])]


class ClinicSource(ExportSource):
    """Implements `base.Source`; what spans several tables is gathered once, when a table that needs it is read."""

    catalogue = CATALOGUE

    def __init__(self, context: ConnectionContext) -> None:
        """Raises CredentialsRejected for unusable options."""
        super().__init__(context)
        try:
            own = ClinicConfig.model_validate(dict(context.config))
        except ValidationError:
            raise CredentialsRejected("visit_minutes has to be a whole number from 1 to 600") from None
        self._shaper = Shaper(self.zone, own.visit_minutes)
        self._gathered: set[str] = set()
        self._opening, self._gathering, self._matching = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
        self._merged: dict[str, str] = {}
        self._shared = 0
        self._papers: dict[str, papers.Paper] | None = None

    # ── hooks of the kit ──────────────────────────────────────────────────────────────────────────────────────────

    def extra_fields(self, object_name: str) -> Sequence[TableField]:
        hidden = self._shaper.cells.get(object_name, {}).values()
        found = [*EXTRA.get(object_name, ()), *(one for group in hidden for one in group.fields())]
        return (*found, *self._shaper.sheet_fields.fields()) if object_name == "patients" else found

    def derive(self) -> Sequence[DerivedObject]:
        return (DerivedObject(_PRACTICES, "referrers", _practice),)

    def complete_record(self, object_name: str, record: Record) -> None:
        self._shaper.shape(object_name, record)

    async def account_facts(self) -> dict[str, JsonValue]:
        """`shared_emails`: people whose address another one keeps; `merged`; `papers`: by what became of them."""
        for name in ("patients", "referrers"):
            await self._gather(name)
        told: dict[str, JsonValue] = {"shared_emails": self._shared, "merged_patients": len(self._merged)}
        counts = papers.told((await self._all_papers()).values())
        return told | ({"papers": dict(counts)} if counts["papers"] else {})

    async def tables(self) -> dict[str, AnyTable]:
        """Tables by object; custom fields that stand in values are found first, so that they are known everywhere."""
        async with self._opening:
            if self._tables is None:
                await self._find_hidden()
                found = await super().tables()
                repeating = [one for name in WITH_PATIENT if (one := _file_of(found, name)) and _repeats(one)]
                if "patients" not in found and repeating:
                    found["patients"] = PersonsTable(repeating, self)
                await self._adopt(found)
                for table in found.values():
                    table.spec = self._grown(table)
        return self._tables or {}

    async def _adopt(self, found: dict[str, AnyTable]) -> None:
        """Files that nobody knows and that have no id are objects too, so that what they hold is counted and listed.

        A row's identity is all of it; they have no load, and the proposal says that they stay behind.
        """
        ignored = set(self._ignored)
        for stored in await self.shelf.tables():
            obj = foreign_object(stored) if stored.name in ignored else None
            if obj is not None and obj.name not in found:
                found[obj.name] = open_table(obj, stored, self.shelf, self.zone, self._hooks, custom=True)
                self._ignored.remove(stored.name)

    # ── base.Source ───────────────────────────────────────────────────────────────────────────────────────────────

    async def check(self) -> dict[str, JsonValue]:
        """As the kit does; patients have to be there, in a file of their own or repeated in another one."""
        facts = await super().check()
        if "patients" not in await self.tables():
            raise ContractBroken(
                "no file of patients was found, and no other file repeats their names and birth dates; upload the "
                "patients, for example as Patients.csv",
                code="FILES_MISSING",
            )
        counts = papers.told((await self._all_papers()).values())
        return facts | {"papers": counts["papers"], "papers_matched": counts["matched"]}

    async def describe(self) -> Inventory:
        inventory = await super().describe()
        others = [one for one in inventory.objects if one.name != papers.OBJECT]
        return inventory.model_copy(update={"objects": (*others, papers.SPEC)})

    async def count(self, object_name: str) -> int:
        """Rows with a key of their own, without patients that were merged into others."""
        if object_name == papers.OBJECT:
            return len(await self._all_papers())
        found = await super().count(object_name)
        if object_name == "patients":
            await self._gather("patients")
            found -= len(self._merged)
        return found

    async def read(
        self, object_name: str, fields: Sequence[str], *, cursor: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """As the kit does; merged patients come as deletions that name the survivor."""
        if object_name == papers.OBJECT:
            async for page in self._paper_pages(fields, cursor, since):
                yield page
            return
        if object_name in await self.tables():
            await self._gather(object_name)
        merged = self._merged if object_name == "patients" else {}
        async for page in super().read(object_name, fields, cursor=cursor, since=since):
            yield self._without_merged(page, merged) if merged else page

    def open_file(self, ref: FileRef) -> AbstractAsyncContextManager[FileStream]:
        """Raises BatchRefused with the code FILE_GONE when the file did not come with the export."""
        return self._open_paper(ref)

    # ── what tables need ──────────────────────────────────────────────────────────────────────────────────────────

    async def _gather(self, object_name: str) -> None:
        """Everything that records of an object are completed with, once; several objects are read at a time."""
        tables = await self.tables()
        async with self._gathering:
            if object_name in self._gathered:
                return
            shaper, patients = self._shaper, _file_of(tables, "patients")
            if patients is not None and shaper.people is None and object_name in _OF_PEOPLE:
                shaper.people, self._merged = await know_people(patients)
            if object_name in ("patients", "referrers") and not self._gathered & {"patients", "referrers"}:
                holders = [one for name in ("patients", "referrers") if (one := _file_of(tables, name))]
                shaper.email_owners, self._shared = await share_emails(holders, self._merged)
            if object_name == "patients" and (plans := _file_of(tables, "insurance_plans")):
                await self._prepare(plans)
                shaper.plans = await gather_plans(plans)
            for name in ("payments", "charges") if object_name == "invoices" else ():
                if lines := _file_of(tables, name):
                    await self._prepare(lines)
                    setattr(shaper, name, await gather_lines(lines))
            self._gathered.add(object_name)

    async def _find_hidden(self) -> None:
        """Opens the tables for a first look at custom fields in sheets of values and in cells of JSON."""
        stored, _ = self._assign(await self.shelf.tables())
        for name in stored:
            if name == "custom_values":
                continue
            table = self._open(name, stored[name])
            hidden, _ = await find_json(table)
            if hidden:
                self._shaper.cells[name] = hidden
        if "custom_values" in stored:
            sheet = self._open("custom_values", stored["custom_values"])
            survey, values = HiddenSurvey(), Gathered()
            async for patient, label, text in sheet_rows(sheet):
                survey.add(label, text)
                values.add(patient, [label, text])
            taken = {one.name for one in people_tables.PATIENTS.fields} | {one.name for one in EXTRA["patients"]}
            hidden_names = {
                one.name for group in self._shaper.cells.get("patients", {}).values() for one in group.fields()
            }
            self._shaper.sheet, self._shaper.sheet_fields = values, survey.finish(taken | hidden_names)

    def _grown(self, table: AnyTable) -> ObjectSpec:
        """The spec with fields that are computed in place of columns; custom fields are guarded, whatever they hold."""
        hidden = self._shaper.cells.get(table.name, {})
        fields = [_guarded(one) if one.custom else one for one in table.spec.fields if one.name not in hidden]
        names = {one.name for one in fields}
        has_plans = table.name != "patients" or "insurance_plans" in (self._tables or {})
        if isinstance(table, ExportTable) and has_plans:
            fields += [one for one in fallback_fields(table.name) if one.name not in names]
        own = {one.name for one in self._custom_fields(table.name)}
        fields = [one.model_copy(update={"custom": True}) if one.name in own else one for one in fields]
        return table.spec.model_copy(update={"fields": tuple(fields)})

    def _custom_fields(self, object_name: str) -> list[TableField]:
        named = {one.name for one in EXTRA.get(object_name, ())}
        return [one for one in self.extra_fields(object_name) if one.name not in named]

    def _without_merged(self, page: Page, merged: Mapping[str, str]) -> Page:
        kept = [record for record in page.records if record["id"] not in merged]
        gone = [record["id"] for record in page.records if record["id"] in merged]
        away = [Deletion(key, self._clock(), merged_into=merged[key]) for key in gone]
        return Page(kept, [*page.deletions, *away], page.cursor)

    # ── papers ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _all_papers(self) -> dict[str, papers.Paper]:
        await self._gather(papers.OBJECT)
        table = _file_of(await self.tables(), papers.OBJECT)
        async with self._matching:
            if self._papers is None:
                rows = [one async for one in table.records()] if table is not None else []
                people = self._shaper.people
                self._papers = papers.match_papers(
                    rows, await self.shelf.documents(), people.knows if people is not None else _nobody
                )
        return self._papers

    async def _paper_pages(
        self, fields: Iterable[str], cursor: str | None, since: datetime | None
    ) -> AsyncIterator[Page]:
        after, at = cursor or "", self._clock()
        wanted = dict.fromkeys(("id", *fields))
        known = self.shelf.known_ids(papers.OBJECT) if since is not None and self.config.complete else None
        missing = Missing(known, after) if known is not None else None
        for records in papers.pages(await self._all_papers(), after, self.config.page_size):
            ids = [str(record["id"]) for record in records]
            chosen = [{name: record[name] for name in wanted if name in record} for record in records]
            yield Page(chosen, await missing.upto(ids[-1], ids, at) if missing else (), ids[-1])
        yield Page((), await missing.upto(None, [], at) if missing else ())

    @asynccontextmanager
    async def _open_paper(self, ref: FileRef) -> AsyncIterator[FileStream]:
        paper = (await self._all_papers()).get(ref.id)
        if paper is None or paper.file is None:
            raise BatchRefused(f"{ref.object} {ref.id}: the file is not in the export", code="FILE_GONE", status=404)
        kind = str(paper.record.get("mime_type") or "application/octet-stream")
        chunks = self.shelf.read_document(paper.file)
        yield FileStream(str(paper.record["file_name"]), kind, paper.file.size, chunks)


def _file_of(tables: Mapping[str, AnyTable], name: str) -> ExportTable | None:
    """The table of an object that has a file of its own."""
    table = tables.get(name)
    return table if isinstance(table, ExportTable) else None


def _guarded(spec: FieldSpec) -> FieldSpec:
    """A custom field: health data for all we know, and with decimals for coordinates and rates, not only for cents."""
    scale = _PLACES if spec.type is T.DECIMAL else spec.scale
    return spec.model_copy(update={"sensitive": True, "scale": scale})


def _nobody(_: str) -> bool:
    return False


def _practice(record: Record) -> list[Record]:
    name = str(record.get("practice") or "").strip()
    if not name:
        return []
    parts = ("territory", "specialty", "phone", "fax", "address", "address2", "city", "state", "postal_code", "country")
    values = {part: record[part] for part in parts if record.get(part)}
    return [{"id": practice_id(name), "name": name, **values}]


def _repeats(table: ExportTable) -> bool:
    """Whether the rows of a table name the person well enough."""
    columns = table.columns
    named = "patient_name" in columns or "patient_last" in columns
    return named and ("patient_dob" in columns or "patient_medicare" in columns)
