"""ServiceTracker read from uploaded export files instead of its API: the same objects, the same canonical values.

Files are called after their object ({Object}.csv by API name or label), headings after fields. A file holds the whole
object: `read` gives all its rows also for a delta, and the engine tells by hash what changed. A record that is absent
counts as deleted only where the connection says `complete`; otherwise absence means nothing (ruling 28).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from pydantic import JsonValue

from app.domain.schema import Inventory, Record, UserSpec
from connectors.base import ConnectionContext, FileRef, FileStream, Page
from connectors.errors import BatchRefused, ContractBroken
from connectors.exportkit.absence import Missing
from connectors.exportkit.config import read_export_config
from connectors.servicetracker.export_files import ExportedFiles
from connectors.servicetracker.export_tables import ExportTable, needed_objects, object_of, open_table
from connectors.servicetracker.reading import Cursor, read_cursor, write_cursor
from connectors.servicetracker.schema import FILE_OBJECT, FILE_OBJECTS, FILE_SPEC, STANDARD_OBJECTS
from connectors.table_files import TableShelf

_BYTES_MISSING = "the bytes of files do not come in export tables; connect the account's API to move them"


class ServiceTrackerExports:
    """Implements `base.Source` over the uploaded tables in `config["tables"]` (a `TableShelf`)."""

    def __init__(self, context: ConnectionContext) -> None:
        self._config = read_export_config(context.config)
        self._zone = self._config.zone()
        self._shelf: TableShelf = context.config["tables"]
        self._clock = context.clock
        self._tables: dict[str, ExportTable] | None = None

    async def check(self) -> dict[str, JsonValue]:
        """Every needed file is there and can be read; facts: files, rows, rejected_rows, absent, mistyped.

        Raises ContractBroken naming the files that are missing, have no Id column, or wait for an answer.
        """
        tables = await self._open()
        declared = {object_of(name) for name in self._config.declared_absent()}
        needed = needed_objects(await self._shelf.needed())
        missing = [name for name in needed if name not in tables and name not in declared]
        if missing:
            names = ", ".join(f"{name}.csv" for name in missing)
            raise ContractBroken(
                f"these files are missing: {names}. Upload them; for objects without records upload the headings "
                'alone, or name the objects in the connection\'s config, for example "absent": '
                f'"{", ".join(missing[:2])}"',
                code="FILES_MISSING",
            )
        for table in tables.values():
            table.require_readable()
        profiles = [table.stored.profile for table in tables.values()]
        return {
            "mode": "upload",
            "files": len(tables),
            "rows": sum(profile.rows for profile in profiles),
            "rejected_rows": sum(sum(profile.rejected.values()) for profile in profiles),
            "absent": [name for name in needed if name not in tables],
            "mistyped": [f"{name}.{field}" for name, table in tables.items() for field in table.mistyped],
            "file_bytes": "not in export files",
        }

    async def describe(self) -> Inventory:
        """Objects by their files: standard fields that are there, all other columns as custom fields by their votes.

        Facts per object: rows, rows without an id, repeated ids (of which the first counts), and rejected rows.
        """
        tables = await self._open()
        standard = [name for name in STANDARD_OBJECTS if name in tables]
        others = sorted(name for name in tables if name not in STANDARD_OBJECTS and name not in FILE_OBJECTS)
        objects = [tables[name].spec for name in (*standard, *others)]
        if any(name in tables for name in FILE_OBJECTS):
            objects.append(FILE_SPEC)
        return Inventory(
            platform="servicetracker",
            taken_at=self._clock(),
            account="uploaded files",
            objects=tuple(objects),
            users=await self._users(),
            facts={"tables": {name: await _told(table) for name, table in tables.items()}},
        )

    async def count(self, object_name: str) -> int:
        """Living records: rows with an id of their own, without those marked as deleted."""
        if object_name == FILE_OBJECT:
            return await (await self._files()).count()
        layout = await (await self._table(object_name)).keyed.layout()
        return layout.rows - layout.gone - (layout.duplicates or 0)

    async def read(
        self, object_name: str, fields: Sequence[str], *, cursor: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """All records by id, with `since` too; rows marked as deleted come as deletions.

        With `since` and a `complete` export, ids that were read before and are absent now come as deletions.
        Raises ContractBroken for a field that the file lacks.
        """
        place = read_cursor(cursor)
        if object_name == FILE_OBJECT:
            async for page in (await self._files()).pages(place, self._config.page_size):
                yield page
            return
        table = await self._table(object_name)
        split = table.splitter(fields)
        missing = self._missing(object_name, place.after) if since is not None and self._config.complete else None
        upto = ""
        async for rows in table.keyed.pages(place.after, self._config.page_size):
            records, deletions = split(rows)
            ids = [row[table.key] for row in rows]
            upto = ids[-1]
            if missing is not None:
                deletions += await missing.upto(upto, ids, table.stored.uploaded_at)
            yield Page(records, deletions, write_cursor(Cursor(after=upto)))
        rest = await missing.upto(None, [], table.stored.uploaded_at) if missing is not None else []
        yield Page((), rest)

    @asynccontextmanager
    async def _no_bytes(self, ref: FileRef) -> AsyncIterator[FileStream]:
        raise BatchRefused(f"{ref.object} {ref.id}: {_BYTES_MISSING}", code="FILE_GONE", status=404)
        yield  # what makes this a context manager

    def open_file(self, ref: FileRef) -> AbstractAsyncContextManager[FileStream]:
        """Raises BatchRefused with the code FILE_GONE: tables hold no bytes of files."""
        return self._no_bytes(ref)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _open(self) -> dict[str, ExportTable]:
        """Tables by object. Raises ContractBroken for two files of one object."""
        if self._tables is None:
            found: dict[str, ExportTable] = {}
            for stored in await self._shelf.tables():
                table = open_table(self._shelf, stored, self._zone)
                other = found.get(table.name)
                if other is not None:
                    raise ContractBroken(
                        f"{other.stored.name} and {stored.name} are both {table.name}; delete one of the uploads",
                        code="TWO_FILES",
                    )
                found[table.name] = table
            self._tables = found
        return self._tables

    async def _table(self, name: str) -> ExportTable:
        table = (await self._open()).get(name)
        if table is None:
            raise ContractBroken(f"there is no file {name}.csv; upload it", code="NO_OBJECT")
        table.require_readable()
        return table

    async def _files(self) -> ExportedFiles:
        tables = await self._open()
        return ExportedFiles({name: tables[name] for name in FILE_OBJECTS if name in tables})

    def _missing(self, object_name: str, after: str) -> Missing:
        return Missing(self._shelf.known_ids(object_name), after)

    async def _users(self) -> tuple[UserSpec, ...]:
        table = (await self._open()).get("User")
        if table is None:
            return ()
        table.require_readable()
        wanted = [name for name in ("Id", "Name", "Email", "IsActive", "UserType") if name in table.types]
        users: list[UserSpec] = []
        read = table.reader(wanted)
        shows_active = "IsActive" in table.types
        async for rows in table.keyed.pages("", self._config.page_size):
            staff = [one for one in map(read, rows) if one.get("UserType", "Standard") == "Standard"]
            users += [_user(one, shows_active) for one in staff]
        return tuple(users)


def _user(record: Record, shows_active: bool) -> UserSpec:
    return UserSpec(
        id=record["Id"],
        name=record.get("Name", ""),
        email=record.get("Email", "").strip().lower(),
        active=not shows_active or record.get("IsActive") is True,
    )


async def _told(table: ExportTable) -> dict[str, JsonValue]:
    stored = table.stored
    told: dict[str, JsonValue] = {"file": stored.name, "rejected_rows": sum(stored.profile.rejected.values())}
    if table.has_key:
        layout = await table.keyed.layout()
        told |= {"rows": layout.rows, "without_id": layout.without_key, "repeated_ids": layout.duplicates}
    return told
