"""From staged records to planned writes: gathers what a page of records refers to, then decides each one.

Gathering reads PostgreSQL (ids behind references, related records, earlier ends); deciding is the compiled mapping and
a comparison of hashes, without I/O (architecture: gather, decide, apply).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg

from app.domain.compiling import CompiledLoad, PageContext
from app.domain.depth import RING
from app.domain.issues import IssueCode
from app.domain.json_texts import json_text
from app.domain.mapping import Load, LoadMode, MappingDocument
from app.domain.schema import Record
from app.runs.apart import Apart
from app.runs.filenames import distinct_name, safe_name
from app.runs.gathering import Gatherer
from app.runs.items import Decided, Item
from app.runs.ledger import Book, Entry, Outcome, Prior
from app.runs.resolved import ResolvedIds
from app.runs.staging import StagedRow, Staging
from app.security import DataKey

_SLICE = 250  # records decided before the loop may breathe
DONE = frozenset({Outcome.CREATED.value, Outcome.UPDATED.value, Outcome.UNCHANGED.value})
"""Ends with which our values stand at the destination."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A page with everything that deciding it needs; `priors` and `bases` by source id."""

    rows: Sequence[StagedRow]
    context: PageContext
    priors: Mapping[str, Prior]
    bases: Mapping[str, str]


@dataclass(slots=True)
class Owners:
    """Destination users behind source users and e-mail addresses; constant for a run."""

    users: Mapping[str, str]
    emails: Mapping[str, str]
    fallback: str | None


class Decider:
    """Decides the records of one load."""

    def __init__(
        self,
        *,
        document: MappingDocument,
        load: Load,
        compiled: CompiledLoad,
        staging: Staging,
        book: Book,
        key: DataKey,
        owners: Owners,
        run_id: UUID,
        key_field: str,
        owner_field: str = "",
        note: tuple[str, Mapping[str, str]] | None = None,
        doubles: frozenset[tuple[str, str]] = frozenset(),
        resolved: ResolvedIds | None = None,
        gatherer: Gatherer | None = None,
        apart: tuple[Apart, ...] = (),
        redirects: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
        again: Set[str] = frozenset(),
        linked: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`note`: for notes, the text field that carries the marker and author names by source user id. `doubles`: for
        files, (parent, name) that occur more than once. `redirects`: load → id → survivor of records merged away.
        `again`: ids that are looked at although they are as they were written. `linked`: for links that name their
        record themselves, destination id → the source id whose link this run has set on it.
        """
        self.load = load
        self.compiled = compiled
        self.key_field = key_field
        self._document = document
        self._staging = staging
        self._book = book
        self._hash = key.hash
        self._owners = owners
        self._run_id = run_id
        self._owner_field = owner_field
        self._note = note
        self._doubles = doubles
        self._resolved = resolved or ResolvedIds()
        self._gatherer = gatherer
        self._apart = apart
        self._redirects = redirects
        self._again = again
        self._linked = dict(linked)
        self._gone: dict[str, set[str]] = {}
        self._merged = redirects.get(load.key, {})
        self.rings: Mapping[str, str] = MappingProxyType({})
        """Source id → the field by which a record refers to itself in a ring, as far as it must resolve."""
        self.restated = False
        """Whether records may have changed since this run wrote them: only those that say the same are settled."""
        self.left_out = 0
        """Records that this run wrote before they changed into what the load does not take."""

    async def gather_page(
        self,
        connection: "asyncpg.Connection[Any]",
        rows: Sequence[StagedRow],
        *,
        fresh: bool,
        everything: bool = False,
    ) -> Gathered:
        """All that has to be read for a page. `fresh` promises that the ledger holds nothing of this load. With
        `everything` its conditions do not count.
        """
        if self._gatherer is not None:
            rows = await self._gatherer.rows(connection, rows)
        taken = await self.taken(connection, rows) if self.load.when and not everything else rows
        if self.restated and len(taken) < len(rows):
            await self._leave_out(connection, {row.source_id for row in rows} - {row.source_id for row in taken})
        context = await self.gather(connection, [row.record for row in taken])
        priors: Mapping[str, Prior] = {}
        if not fresh:
            await self._note_gone(connection, context.related)
            priors = await self._book.priors(connection, self.load, [row.source_id for row in taken])
        bases: Mapping[str, str] = {}
        if self.load.mode is LoadMode.LINK:
            base = self._document.load(self.load.base)
            if base.source_object == self.load.source_object:
                bases = await self._book.record_ids(connection, base, [row.source_id for row in taken])
        return Gathered(taken, context, priors, bases)

    async def _leave_out(self, connection: "asyncpg.Connection[Any]", ids: Set[str]) -> None:
        priors = await self._book.priors(connection, self.load, sorted(ids))
        self.left_out += sum(prior.run_id == self._run_id for prior in priors.values())

    async def unwanted(self, connection: "asyncpg.Connection[Any]", rows: Sequence[StagedRow]) -> set[str]:
        """Ids of rows that would not be written as things are: gone at the source, or not what the load takes."""
        taken = {row.source_id for row in await self.taken(connection, rows)}
        gone = await self._staging.gone(connection, self.load.source_object, [row.source_id for row in rows])
        return gone | {row.source_id for row in rows} - taken

    async def taken(self, connection: "asyncpg.Connection[Any]", rows: Sequence[StagedRow]) -> list[StagedRow]:
        """The rows that meet the load's conditions; some of these ask what a referred record holds."""
        takes = self.compiled.takes
        if not any("." in condition.field for condition in self.load.when):
            return [row for row in rows if takes(row.record)]
        related = await self.related(connection, [row.record for row in rows])
        return [row for row in rows if takes(row.record, related)]

    async def decide(self, page: Gathered) -> Decided:
        """Decides a page: no I/O, but the loop breathes now and then."""
        decided = Decided()
        context, priors, bases = page.context, page.priors, page.bases
        plain = self.load.mode is LoadMode.CREATE and self._note is None and not priors and not self._apart
        for start in range(0, len(page.rows), _SLICE):
            part = page.rows[start : start + _SLICE]
            if plain:
                self._decide_new(part, context, decided)
            else:
                for row in part:
                    self._decide_one(row, context, priors.get(row.source_id), bases.get(row.source_id), decided)
            await asyncio.sleep(0)
        return decided

    def _decide_new(self, rows: Sequence[StagedRow], context: PageContext, decided: Decided) -> None:
        """`_decide_one` for records that nothing is known of yet: by far the most, so without its questions."""
        build, text_of, digest, owner = self.compiled.build, json_text, self._hash, self._owner_field
        items = decided.items
        decided.taken += len(rows)
        for source_id, record in rows:
            if source_id in self._merged:
                decided.entries.append(Entry(source_id, Outcome.SKIPPED, "merged_into"))
                continue
            payload, verdict, reason, found = build(record, context)
            issues = summarise(found) if found else ""
            if verdict is not None:
                decided.entries.append(Entry(source_id, str(verdict), self._reason(source_id, reason), issues=issues))
                continue
            encoded = text_of(payload)
            by = self._owner(payload) if owner else ""
            items.append(Item(source_id, record, payload, encoded, digest(encoded), issues, by))

    async def gather(self, connection: "asyncpg.Connection[Any]", records: Sequence[Record]) -> PageContext:
        """Everything the compiled mapping may ask about these records."""
        related = await self.related(connection, records)
        wanted: dict[str, set[str]] = {}
        for path, loads in self.compiled.reference_needs:
            ids = set(self._values(path, records, related))
            for load in loads:
                wanted.setdefault(load, set()).update(ids)
        ids_by_load = {load: await self._resolve(connection, load, ids) for load, ids in wanted.items()}
        return PageContext(
            ids=ids_by_load,
            related=related,
            users=self._owners.users,
            emails=self._owners.emails,
            fallback_owner=self._owners.fallback,
        )

    async def related(
        self, connection: "asyncpg.Connection[Any]", records: Sequence[Record]
    ) -> dict[str, dict[str, Record]]:
        """The records that dotted paths lead to: object → id → record."""
        related: dict[str, dict[str, Record]] = {}
        for reference, object_name in self.compiled.related_needs:
            ids = {record[reference] for record in records if reference in record}
            missing = ids - related.get(object_name, {}).keys()
            if missing:  # one that the source let go since counts as it last was: what was taken from it stays
                found = await self._staging.by_ids(connection, object_name, list(missing), gone_too=True)
                related.setdefault(object_name, {}).update(found)
        return related

    async def _note_gone(
        self, connection: "asyncpg.Connection[Any]", related: Mapping[str, Mapping[str, Record]]
    ) -> None:
        """Remembers by which references records follow one that the source let go."""
        for reference, object_name in self.compiled.related_needs:
            if found := related.get(object_name):
                gone = await self._staging.gone(connection, object_name, list(found))
                self._gone.setdefault(reference, set()).update(gone)

    def _follows_gone(self, record: Record) -> str:
        """The reference that leads to a record which is gone at the source; "" for none."""
        return next((name for name, ids in self._gone.items() if ids and record.get(name) in ids), "")

    def _reason(self, source_id: str, reason: str) -> str:
        """A reference that cannot resolve because it leads round in a ring is called so."""
        field_name = self.rings.get(source_id)
        if field_name is not None and reason == f"{IssueCode.LOOKUP_MISSING}:{field_name}":
            return f"{RING}:{field_name}"
        return reason

    async def completed(
        self, connection: "asyncpg.Connection[Any]", records: Mapping[str, Record]
    ) -> Mapping[str, Record]:
        """Staged records by id with what the load gathers from others."""
        return records if self._gatherer is None else await self._gatherer.records(connection, records)

    def _values(
        self, path: str, records: Iterable[Record], related: Mapping[str, Mapping[str, Record]]
    ) -> Iterable[str]:
        reference, dot, name = path.partition(".")
        if not dot:
            yield from [value for record in records if (value := record.get(reference)) is not None]
            return
        for record in records:
            value = record.get(reference)
            if value is None:
                continue
            for needed, object_name in self.compiled.related_needs:
                if needed == reference and (other := related.get(object_name, {}).get(value)) and name in other:
                    yield other[name]

    def payload(self, source_id: str, record: Record, context: PageContext) -> dict[str, Any]:
        """What is written for one record, marker included; empty when the record is not written."""
        built = self.compiled.build(record, context)
        if built.payload:
            self._complete(StagedRow(source_id, record), built.payload)
        return built.payload

    def meant(self, row: StagedRow, page: Gathered) -> tuple[dict[str, Any], bytes] | None:
        """What a record comes to, destination id and `$id` aside, and the keyed hash that its write is known by; None
        when it is not written.
        """
        built = self.compiled.build(row.record, page.context)
        if built.verdict is not None:
            return None
        payload = built.payload
        if self.load.mode is LoadMode.LINK:
            base = _id_in(payload.pop("$id", None)) or page.bases.get(row.source_id)
            if base is None or _nothing_to_link(payload):
                return None
            payload["id"] = base
        self._complete(row, payload)
        digest = self._hash(json_text(payload))
        payload.pop("id", None)
        return payload, digest

    async def _resolve(self, connection: "asyncpg.Connection[Any]", load: str, ids: set[str]) -> Mapping[str, str]:
        """Destination ids; a record that was merged away leads to the one that lives on."""
        known, missing = self._resolved.known(load, ids)
        if not missing:
            return known
        target = self._document.load(load)
        read = await self._book.record_ids(connection, target, list(missing))
        self._resolved.remember(load, read)
        pending = {source_id: source_id for source_id in missing - read.keys()}
        for _ in range(5):
            if not pending:
                break
            steps = await self._staging.survivors(connection, target.source_object, list(pending.values()))
            merged = self._redirects.get(load, {})
            steps = {**steps, **{one: merged[one] for one in pending.values() if one in merged}}
            pending = {asked: steps[at] for asked, at in pending.items() if at in steps}
            if not pending:
                break
            resolved = await self._book.record_ids(connection, target, list(pending.values()))
            read |= {asked: resolved[at] for asked, at in pending.items() if at in resolved}
            pending = {asked: at for asked, at in pending.items() if at not in resolved}
        return {one: known[one] for one in ids - missing} | read if read else known

    def _decide_one(
        self, row: StagedRow, context: PageContext, prior: Prior | None, base: str | None, decided: Decided
    ) -> None:
        built = self.compiled.build(row.record, context)
        link = self.load.mode is LoadMode.LINK and built.verdict is None
        if link and _nothing_to_link(built.payload) and not built.issues:
            return
        decided.taken += 1
        if prior is not None and prior.run_id == self._run_id and not self.restated:
            decided.settled += 1
            return
        if row.source_id in self._merged:
            decided.entries.append(Entry(row.source_id, Outcome.SKIPPED, "merged_into"))
            return
        issues = summarise(built.issues) if built.issues else ""
        if built.verdict is not None:
            reason = self._reason(row.source_id, built.reason)
            decided.entries.append(Entry(row.source_id, str(built.verdict), reason, issues=issues))
            return
        if link:
            named = _id_in(built.payload.pop("$id", None))
            base = named or base
            if base is None or _nothing_to_link(built.payload):
                reason = "base_missing" if base is None else "lookup_missing"
                decided.entries.append(Entry(row.source_id, Outcome.SKIPPED, reason, issues=issues))
                return
            if named is not None and self._linked.setdefault(named, row.source_id) != row.source_id:
                decided.entries.append(Entry(row.source_id, Outcome.SKIPPED, "another_is_primary", issues=issues))
                return
            built.payload["id"] = base
        told = self._complete(row, built.payload)
        issues = f"{issues} {told}".strip() if told else issues
        self._compare(row, context, prior, built.payload, issues, decided, base if link else None)

    def _compare(
        self,
        row: StagedRow,
        context: PageContext,
        prior: Prior | None,
        payload: dict[str, Any],
        issues: str,
        decided: Decided,
        base: str | None,
    ) -> None:
        """Unchanged since the last write, or an item to send: a creation, a link, or an update that clears blanks."""
        encoded = json_text(payload)
        sent_hash = self._hash(encoded)
        same = prior is not None and prior.sent_hash == sent_hash and prior.outcome in DONE
        gone = self._follows_gone(row.record) if self._gone else ""
        if prior is not None and same and prior.run_id == self._run_id:
            decided.settled += 1
            return
        if prior is not None and same and row.source_id not in self._again:
            reason = f"{IssueCode.SOURCE_GONE}:{gone}" if gone else ""
            decided.entries.append(Entry(row.source_id, Outcome.UNCHANGED, reason, record_id=prior.record_id))
            return
        if gone:
            issues = f"{issues} {gone}:{IssueCode.SOURCE_GONE}".strip()
        item = Item(row.source_id, row.record, payload, encoded, sent_hash, issues, self._owner(payload), base)
        if prior is not None and prior.record_id is not None and base in (None, prior.record_id):
            item.known_hash = prior.sent_hash
        if base is None and prior is not None and prior.record_id is not None:
            item.record_id, item.adopted = prior.record_id, not prior.created
            if prior.sent_hash is None:  # taken over and never booked: nothing of ours is there that could be cleared
                item.payload = {**payload, "id": prior.record_id}
            else:
                item.payload = {**self.compiled.build_update(row.record, context).payload, "id": prior.record_id}
                self._complete(row, item.payload)
            item.encoded = json_text(item.payload)
        decided.items.append(item)

    def _complete(self, row: StagedRow, payload: dict[str, Any]) -> str:
        """What the mapping cannot know: a note's marker, a file's name, a value another record keeps. Returns issues
        of the last.
        """
        if self._note is not None:
            self._mark(row, payload)
        elif self.load.mode is LoadMode.FILE:
            payload["name"] = self._file_name(row)
            payload["size"] = row.record.get("Size")
        told = [one.rule.target for one in self._apart if one.apply(self.load.key, row.source_id, row.record, payload)]
        return " ".join(f"{target}:{IssueCode.SHARED_VALUE}" for target in told)

    def _file_name(self, row: StagedRow) -> str:
        name = safe_name(str(row.record.get(self.load.file_name) or ""), f"{row.source_id}.bin")
        if (str(row.record.get("ParentId")), name) in self._doubles:
            return distinct_name(name, row.source_id)
        return name

    def _mark(self, row: StagedRow, payload: dict[str, Any]) -> None:
        """Ends a note with its original time and author and with its external id, by which it is found again."""
        assert self._note is not None
        field_name, authors = self._note
        record = row.record
        written = str(record.get("CreatedDate", ""))[:16].replace("T", " ")
        author = authors.get(str(record.get("CreatedById") or record.get("OwnerId") or ""), "")
        origin = " ".join(
            part for part in (f"{written} UTC" if written else "", f"by {author}" if author else "") if part
        )
        part = f":{self.load.part}" if self.load.part else ""
        marker = f"[{self._document.source}:{self.load.source_object}:{row.source_id}{part}]"
        text = str(payload.get(field_name) or "")
        payload[field_name] = f"{text}\n\n{origin} {marker}" if origin else f"{text}\n\n{marker}"

    def _owner(self, payload: Mapping[str, Any]) -> str:
        owner = payload.get(self._owner_field) if self._owner_field else None
        return str(owner["id"] if isinstance(owner, dict) else owner or "")


def _nothing_to_link(payload: Mapping[str, Any]) -> bool:
    return all(name == "$id" for name in payload)


def _id_in(reference: Any) -> str | None:
    """The bare id of a rendered reference."""
    if isinstance(reference, dict):
        reference = reference.get("id")
    return None if reference is None else str(reference)


def summarise(issues: Iterable[Any]) -> str:
    """Issues as the ledger keeps them: "field:code field:code", each once, no values."""
    return " ".join(dict.fromkeys([f"{issue.field}:{issue.code}" for issue in issues]))
