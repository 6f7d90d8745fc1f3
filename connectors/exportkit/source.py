"""A platform read from uploaded tables: implements `base.Source` over a catalogue.

A file holds the whole object: `read` gives all its rows also for a delta, and the engine tells by hash what changed.
A record that is absent counts as deleted only where the connection says `complete` (ruling 28). References are told
by id, then by exact normalised name; what is unknown or ambiguous keeps its text and points nowhere.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import msgspec
from pydantic import JsonValue

from app.domain.schema import Inventory, Record, UserSpec
from connectors.base import ConnectionContext, FileRef, FileStream, Page
from connectors.column_votes import ColumnProfile
from connectors.errors import ContractBroken
from connectors.exportkit.absence import Missing
from connectors.exportkit.catalogue import Catalogue, TableField, TableObject, fold
from connectors.exportkit.columns import Value
from connectors.exportkit.config import read_export_config
from connectors.exportkit.documents import UploadedDocuments
from connectors.exportkit.names import Found
from connectors.exportkit.nested import DerivedObject, DerivedTable, NestedLists
from connectors.exportkit.references import References
from connectors.exportkit.tables import ExportTable, Hooks, chosen, open_table, stamp_fields, unknown_object
from connectors.table_files import StoredDocument, StoredTable, TableShelf

AnyTable = ExportTable | DerivedTable
_INACTIVE = frozenset({"false", "no", "n", "0", "inactive", "archived", "disabled", "former", "left", "terminated"})


class _Cursor(msgspec.Struct):
    after: str = ""


_CURSOR = msgspec.json.Decoder(_Cursor)


class ExportSource:
    """Implements `base.Source` over the uploaded tables in `config["tables"]` (a `TableShelf`).

    A platform sets `catalogue` and overrides the hooks it needs. `first` names tables that `learn` sees before the
    others are opened (inventories of custom fields, say).
    """

    catalogue: Catalogue
    first: tuple[str, ...] = ()

    def __init__(self, context: ConnectionContext) -> None:
        """Raises CredentialsRejected for unusable options."""
        self.config = read_export_config(context.config)
        self.zone = self.config.zone()
        self.shelf: TableShelf = context.config["tables"]
        self._clock = context.clock
        self._tables: dict[str, AnyTable] | None = None
        self._ignored: list[str] = []
        self._documents = UploadedDocuments(self.shelf)
        self._references = References()
        self._turn = asyncio.Lock()
        self._hooks = Hooks(self.cell_reader, self.custom_type, self.extra_fields)

    # ── hooks ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def learn(self, tables: Mapping[str, ExportTable]) -> None:
        """Sees the tables named in `first`, those that were uploaded. `tables` and `records` cannot be used yet."""

    def derive(self) -> Sequence[DerivedObject]:
        """Objects made of the records of other objects."""
        return ()

    def extra_fields(self, object_name: str) -> Sequence[TableField]:
        """Fields that `complete_record` fills."""
        del object_name
        return ()

    async def before(self, object_name: str) -> None:
        """Called before the records of an object are read, for what `complete_record` has to know of others.

        Objects are read side by side: what is gathered here must be whole before anybody goes on.
        """
        del object_name

    def complete_record(self, object_name: str, record: Record) -> None:
        """Fills `extra_fields` of a record in place."""

    def custom_type(self, obj: TableObject, profile: ColumnProfile) -> TableField | None:
        """A field for a column that the catalogue does not know; None: typed by the votes of its rows."""
        del obj, profile
        return None

    def cell_reader(self, obj: TableObject, field: TableField, profile: ColumnProfile) -> Value | None:
        """A reader of the platform's own for a column, instead of the one by votes; values must be canonical."""
        del obj, field, profile
        return None

    async def account_facts(self) -> dict[str, JsonValue]:
        """Further facts for `describe`; no record values."""
        return {}

    # ── base.Source ───────────────────────────────────────────────────────────────────────────────────────────────

    async def check(self) -> dict[str, JsonValue]:
        """Every needed file is there and can be read; facts: files, rows, rejected_rows, absent, mistyped, ignored.

        Raises ContractBroken naming the files that are missing, lack their key, or wait for an answer.
        """
        tables = await self.tables()
        declared = {self._name_of(name) for name in self.config.declared_absent()}
        absent = [name for name in await self._needed() if name not in tables]
        missing = [name for name in absent if name not in declared and self._is_required(name)]
        if missing:
            names = ", ".join(f"{name}.csv" for name in missing)
            raise ContractBroken(
                f"these files are missing: {names}. Upload them; for objects without records upload the headings "
                'alone, or name the objects in the connection\'s config, for example "absent": '
                f'"{", ".join(missing[:2])}"',
                code="FILES_MISSING",
            )
        files = [table for table in tables.values() if isinstance(table, ExportTable)]
        for table in files:
            table.require_readable()
        profiles = {table.stored.name: table.stored.profile for table in files}
        return {
            "mode": "upload",
            "files": len(profiles),
            "rows": sum(profile.rows for profile in profiles.values()),
            "rejected_rows": sum(sum(profile.rejected.values()) for profile in profiles.values()),
            "absent": list(absent),
            "mistyped": [f"{table.name}.{field}" for table in files for field in table.mistyped],
            "ignored_files": list(self._ignored),
            "never_read": [f"{table.name}.{field}" for table in files for field in table.skipped],
        }

    async def describe(self) -> Inventory:
        """Objects by their files: the catalogue's fields that are there, other columns as custom fields by their votes.

        Facts: per table rows, rows without a key, repeated keys (of which the first counts) and rejected rows; and
        `unresolved`, how many references of which field name nothing, or several records.
        """
        tables = await self.tables()
        return Inventory(
            platform=self.catalogue.platform,
            taken_at=self._clock(),
            account="uploaded files",
            objects=tuple(table.spec for table in tables.values()),
            users=tuple([user async for user in self._users()]),
            facts={
                "tables": {name: await _told(table) for name, table in tables.items()},
                "unresolved": await self._unresolved(),
                **await self.account_facts(),
            },
        )

    async def count(self, object_name: str) -> int:
        """Rows with a key of their own."""
        layout = await (await self._table(object_name)).keyed.layout()
        return layout.rows - (layout.duplicates or 0)

    async def read(
        self, object_name: str, fields: Sequence[str], *, cursor: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """All records by key, with `since` too.

        With `since` and a `complete` export, ids that were read before and are absent now come as deletions. Raises
        ContractBroken for a field that the object lacks.
        """
        table = await self._table(object_name)
        await self._prepare(table)
        unknown = [name for name in fields if table.spec.field(name) is None]
        if unknown:
            raise ContractBroken(f"{object_name} has no field {', '.join(unknown[:5])}", code="NO_FIELD")
        wanted = list(dict.fromkeys((*stamp_fields(table.spec), *fields)))
        after = _read_cursor(cursor)
        stored = table.base.stored if isinstance(table, DerivedTable) else table.stored
        deltas = since is not None and self.config.complete
        missing = Missing(self.shelf.known_ids(object_name), after) if deltas else None
        primary = wanted[0]
        async for rows in table.keyed.pages(after, self.config.page_size):
            records = [self._record(table, cells) for cells in rows]
            ids = [record[primary] for record in records]
            gone = await missing.upto(ids[-1], ids, stored.uploaded_at) if missing is not None else []
            following = msgspec.json.encode(_Cursor(ids[-1])).decode()
            yield Page([chosen(record, wanted) for record in records], gone, following)
        rest = await missing.upto(None, [], stored.uploaded_at) if missing is not None else []
        yield Page((), rest)

    def open_file(self, ref: FileRef) -> AbstractAsyncContextManager[FileStream]:
        """The document whose path in an uploaded archive is `ref.id`; BatchRefused with FILE_GONE where there is none.

        Records of files carry BlobObject, BlobId (that path) and BlobField, which the engine makes the reference of.
        """
        return self._documents.open(ref)

    async def document(self, path: str) -> StoredDocument | None:
        """The uploaded document that a path names, if just one fits."""
        return await self._documents.find(path)

    async def close(self) -> None:
        """Nothing is held open."""

    # ── tables ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def tables(self) -> dict[str, AnyTable]:
        """Tables by object, in the catalogue's order. Raises ContractBroken for two files of one object."""
        if self._tables is None:
            async with self._turn:  # objects are read side by side; the files are opened once
                if self._tables is None:
                    self._tables = await self._opened_tables()
        return self._tables

    async def _opened_tables(self) -> dict[str, AnyTable]:
        stored, unknown = self._assign(await self.shelf.tables())
        opened = {name: self._open(name, stored[name]) for name in self.first if name in stored}
        await self.learn(opened)
        opened |= {name: self._open(name, table) for name, table in stored.items() if name not in opened}
        await self._open_nested(opened)
        found: dict[str, AnyTable] = {
            one.name: opened[one.name] for one in self.catalogue.objects if one.name in opened
        }
        names = {table.name: name for name, table in stored.items()}
        for table in unknown:
            obj = unknown_object(table, self.catalogue.objects, names.get(table.parent, ""))
            if obj is None or obj.name in found:
                self._ignored.append(table.name)
            else:
                found[obj.name] = open_table(obj, table, self.shelf, self.zone, self._hooks, custom=True)
        for derived in self.derive():
            base = found.get(derived.base)
            if isinstance(base, ExportTable):
                found[derived.spec.name] = DerivedTable(derived, base, self.shelf, self.complete_record)
        self._references.attach(found)
        return found

    async def records(self, object_name: str) -> AsyncIterator[Record]:
        """All records of an object in its file's order, for facts and hooks; none when it was not uploaded."""
        table = (await self.tables()).get(object_name)
        if isinstance(table, ExportTable):
            await self._prepare(table)
            async for record in table.records():
                self.complete_record(table.name, record)
                yield record

    def _assign(self, uploaded: Sequence[StoredTable]) -> tuple[dict[str, StoredTable], list[StoredTable]]:
        """Files by object, and those that no object is called like. A file called exactly so goes first."""
        found: dict[str, StoredTable] = {}
        others: list[StoredTable] = []
        nested = [table for table in uploaded if table.parent]
        for table in uploaded:
            if table.parent:
                continue
            obj = self.catalogue.exactly(table.stem)
            if obj is None:
                others.append(table)
            elif obj.name in found:
                raise _two_files(found[obj.name], table, obj.name)
            else:
                found[obj.name] = table
        exact, unknown = set(found), []
        for table in others:
            obj = self.catalogue.loosely(table.stem)
            if obj is None or obj.name in exact:
                unknown.append(table)
            elif obj.name in found:
                raise _two_files(found[obj.name], table, obj.name)
            else:
                found[obj.name] = table
        parents = {table.name: name for name, table in found.items()}
        for table in nested:
            obj = self.catalogue.nested(parents.get(table.parent, ""), table.path)
            if obj is None or obj.name in found:
                unknown.append(table)
            else:
                found[obj.name] = table
                parents[table.name] = obj.name
        return found, unknown

    def _open(self, name: str, stored: StoredTable) -> ExportTable:
        obj = self.catalogue.object(name)
        assert obj is not None, name
        lists = [one.path for one in self.catalogue.objects if one.parent == name and one.path]
        return open_table(obj, stored, self.shelf, self.zone, self._hooks, lists=lists)

    async def _open_nested(self, opened: dict[str, ExportTable]) -> None:
        """Lists inside the rows of tables, for objects without a file of their own; parents come first."""
        for obj in self.catalogue.objects:
            parent = opened.get(obj.parent)
            if obj.path and parent is not None and obj.name not in opened:
                lists = NestedLists(parent, obj)
                if lists.present:
                    opened[obj.name] = await lists.table(self.shelf, self.zone, self._hooks)

    async def _table(self, name: str) -> AnyTable:
        table = (await self.tables()).get(name)
        if table is None:
            raise ContractBroken(f"there is no file {name}.csv; upload it", code="NO_OBJECT")
        (table.base if isinstance(table, DerivedTable) else table).require_readable()
        return table

    async def _prepare(self, table: AnyTable) -> None:
        base = table.base if isinstance(table, DerivedTable) else table
        await self._references.prepare(base)
        await self.before(base.name)

    def _record(self, table: AnyTable, cells: list[str]) -> Record:
        record = table.record(cells)
        self.complete_record(table.name, record)
        return record

    # ── what is needed, who is who ────────────────────────────────────────────────────────────────────────────────

    async def _needed(self) -> list[str]:
        """Objects behind the paths that the road reads, derived ones as what they are made of."""
        bases = {one.spec.name: one.base for one in self.derive()}
        found: dict[str, None] = {}
        for path in await self.shelf.needed():
            name, *steps = path.split(".")
            found[bases.get(name, name)] = None
            for step in steps[:-1]:
                obj = self.catalogue.object(name)
                field = obj.field(step) if obj else None
                if field is None or not field.references:
                    break
                name = field.references
                found[name] = None
        return list(found)

    def _is_required(self, name: str) -> bool:
        obj = self.catalogue.object(name)
        return obj is not None and obj.required

    def _name_of(self, given: str) -> str:
        obj = self.catalogue.exactly(given)
        return obj.name if obj else given

    async def _users(self) -> AsyncIterator[UserSpec]:
        if not self.catalogue.users:
            return
        async for record in self.records(self.catalogue.users):
            obj = self.catalogue.object(self.catalogue.users)
            key = obj.key[0] if obj and len(obj.key) == 1 else "id"
            parts = (str(record.get(name) or "") for name in ("first_name", "last_name"))
            yield UserSpec(
                id=str(record.get(key) or record["id"]),
                name=str(record.get("name") or " ".join(part for part in parts if part)),
                email=str(record.get("email") or "").strip().lower(),
                active=str(record.get("active", "true")).strip().lower() not in _INACTIVE,
            )

    async def _unresolved(self) -> dict[str, JsonValue]:
        """By object and field: references that name nothing ("unknown") or several records ("ambiguous")."""
        found: dict[str, JsonValue] = {}
        for table in (await self.tables()).values():
            if isinstance(table, ExportTable) and table.references and table.parts:
                for field, told in (await self._references.tally(table)).items():
                    if missing := {str(kind): count for kind, count in told.items() if kind in _UNTOLD}:
                        found[f"{table.name}.{field}"] = dict(missing)
        return found


_UNTOLD = (Found.UNKNOWN, Found.AMBIGUOUS)


def _two_files(one: StoredTable, other: StoredTable, name: str) -> ContractBroken:
    return ContractBroken(f"{one.name} and {other.name} are both {name}; delete one of the uploads", code="TWO_FILES")


def _read_cursor(text: str | None) -> str:
    """Raises ContractBroken for a text that no page of ours carried."""
    try:
        return _CURSOR.decode(text).after if text else ""
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise ContractBroken("the cursor is not one of this source") from None


async def _told(table: AnyTable) -> dict[str, JsonValue]:
    if isinstance(table, DerivedTable):
        layout = await table.keyed.layout()
        return {"made_of": table.base.name, "rows": layout.rows, "repeated_ids": layout.duplicates}
    told: dict[str, JsonValue] = {
        "file": table.stored.name,
        "rejected_rows": sum(table.stored.profile.rejected.values()),
    }
    if table.parts:
        layout = await table.keyed.layout()
        told |= {"rows": layout.rows, "without_id": layout.without_key, "repeated_ids": layout.duplicates}
        told["key"] = list[Any](table.parts)
    return told


__all__ = ["DerivedObject", "ExportSource", "fold"]
