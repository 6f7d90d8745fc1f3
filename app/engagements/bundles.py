"""Uploads that hold several tables (workbooks, JSON, archives): taken apart, surveyed, and kept all or not at all.

The uploaded file itself is not kept: its tables are, each an upload of its own, and its documents, sealed like them.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.engagements.files import read_file
from app.engagements.parts import PIECE, PartFile, PartStore, SealedPart
from app.models.engagement import Engagement
from app.runtime import Runtime
from app.security import DataKey
from connectors.file_formats import unpack
from connectors.table_files import TableProfile, TableSurvey
from connectors.table_shape import Unreadable
from connectors.tabular import Dialect
from connectors.unpacking import Part, Unpacked

BUNDLE, DOCUMENT, INDEX = "upload-bundle", "upload-document", "upload-index"


@dataclass(frozen=True, slots=True)
class BundleTable:
    """A table out of a bundle; `name` is the whole one."""

    name: str
    file: PartFile
    profile: TableProfile


@dataclass(frozen=True, slots=True)
class Bundle:
    """All parts of a received file; none counts yet. `index` lists the documents."""

    profile: TableProfile
    tables: tuple[BundleTable, ...]
    documents: tuple[PartFile, ...]
    index: PartFile | None

    @property
    def ids(self) -> list[UUID]:
        return [*(one.file.id for one in self.tables), *self.document_ids]

    @property
    def document_ids(self) -> list[UUID]:
        return [*(one.id for one in self.documents), *((self.index.id,) if self.index else ())]


async def unpack_upload(
    runtime: Runtime, engagement: Engagement, key: DataKey, part: PartFile, kind: str, name: str
) -> Bundle:
    """Takes a stored file apart. Raises Unreadable, and leaves nothing behind then but the stored file."""
    store = PartStore(runtime, engagement, key)
    work = asyncio.ensure_future(asyncio.to_thread(_take_apart, store, part, kind, name))
    try:
        unpacked, index = await asyncio.shield(work)
        tables = [table async for table in _surveyed(runtime, engagement, key, unpacked, name)]
    except BaseException:
        store.stop()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # told already, or the thread's word that it stopped
        await discard_parts(runtime, engagement.tenant_id, store.ids)
        raise
    documents = tuple(_file(one.part) for one in unpacked.documents)
    return Bundle(_total(kind, unpacked, tables), tuple(tables), documents, index)


def _take_apart(store: PartStore, part: PartFile, kind: str, name: str) -> tuple[Unpacked, PartFile | None]:
    stem = name.rpartition(".")[0] or name
    with store.reader(part.id, part.size) as file:
        unpacked = unpack(kind, file, stem, store.open)
    if not unpacked.documents:
        return unpacked, None
    index = store.open()
    for one in unpacked.documents:
        file_ = _file(one.part)
        line = {"path": one.path, "size": file_.size, "sha256": file_.sha256, "id": str(file_.id)}
        index.write(orjson.dumps(line) + b"\n")
    index.close()
    return unpacked, index.file


def _file(part: Part) -> PartFile:
    return cast("SealedPart", part).file


async def _surveyed(
    runtime: Runtime, engagement: Engagement, key: DataKey, unpacked: Unpacked, name: str
) -> AsyncIterator[BundleTable]:
    for one in unpacked.tables:
        file, survey = _file(one.part), TableSurvey(one.dialect, runtime.now().year)
        try:
            async for piece in read_file(runtime, engagement.tenant_id, key, file.id):
                await asyncio.to_thread(survey.feed, piece)
            profile = await asyncio.to_thread(survey.finish)
        except Unreadable as problem:
            raise Unreadable(problem.code, f"{one.name}: {problem.detail}", line=problem.line) from None
        parent = f"{name}/{one.parent}" if one.parent else ""
        place = {"stem": one.stem, "parent": parent, "path": one.path, "bundle": name}
        yield BundleTable(f"{name}/{one.name}", file, profile.model_copy(update=place))


def _total(kind: str, unpacked: Unpacked, tables: Sequence[BundleTable]) -> TableProfile:
    """What is said of the file as a whole: sums, and what was seen beside the tables."""
    rejected: dict[str, int] = {}
    for table in tables:
        for code, count in table.profile.rejected.items():
            rejected[code] = rejected.get(code, 0) + count
    return TableProfile(
        dialect=Dialect(encoding="", delimiter="", data_line=0, columns=(), labels=(), source=kind, stored=""),
        rows=sum(table.profile.rows for table in tables),
        columns=(),
        rejected=rejected,
        findings=tuple(unpacked.findings),
    )


async def discard_parts(runtime: Runtime, tenant_id: UUID, ids: Sequence[UUID]) -> None:
    """Removes parts that are not to count."""
    if not ids:
        return
    async with runtime.db.connection(tenant_id) as connection:
        chosen = "SELECT id FROM artifacts WHERE id = ANY($1) AND kind = $2"
        await connection.execute(
            f"DELETE FROM artifact_chunks WHERE artifact_id IN ({chosen})",  # noqa: S608
            *(list(ids), PIECE),
        )
        await connection.execute("DELETE FROM artifacts WHERE id = ANY($1) AND kind = $2", list(ids), PIECE)


async def keep_documents(session: AsyncSession, bundle_id: UUID, bundle: Bundle) -> int:
    """Makes the documents and their index count; how many parts were still there. They are named by the bundle's id."""
    changed = 0
    chosen = {DOCUMENT: [one.id for one in bundle.documents], INDEX: [bundle.index.id] if bundle.index else []}
    for kind, ids in chosen.items():
        done = await session.execute(
            text(
                "UPDATE artifacts SET kind = :kind, name = :bundle WHERE id = ANY(:ids) AND kind = :piece RETURNING id"
            ),
            {"kind": kind, "bundle": str(bundle_id), "ids": ids, "piece": PIECE},
        )
        changed += len(done.all())
    return changed


async def remove_documents(session: AsyncSession, engagement_id: UUID, bundle_id: UUID) -> None:
    """A bundle's documents and their index."""
    chosen = "SELECT id FROM artifacts WHERE engagement_id = :engagement AND name = :bundle AND kind IN (:one, :two)"
    arguments = {"engagement": engagement_id, "bundle": str(bundle_id), "one": DOCUMENT, "two": INDEX}
    await session.execute(text(f"DELETE FROM artifact_chunks WHERE artifact_id IN ({chosen})"), arguments)  # noqa: S608
    await session.execute(text(f"DELETE FROM artifacts WHERE id IN ({chosen})"), arguments)  # noqa: S608
