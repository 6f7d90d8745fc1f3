"""Writes contacts, accounts, deals, leads, products and custom-module records, with a verdict per record.

What decides is the number of calls: up to three records go one by one, more of them as one bulk job where the module
has bulk upsert and the key is unique in the account; everything else is one call each (fact sheet sections 10, 16).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from connectors.base import Found, WriteResult, WriteStatus, WriteStyle, WriteTarget
from connectors.errors import Ambiguous, BatchRefused, ContractBroken, QuotaExhausted, Transient
from connectors.freshsales import modules
from connectors.freshsales.bodies import flat_body, merged_custom, payloads_of
from connectors.freshsales.jobs import BulkJobs, Report
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import Module
from connectors.freshsales.naming import Names, UnknownName, as_id, names_of
from connectors.freshsales.reading import JSON, PER_PAGE, Reader, chunked, is_id, part
from connectors.freshsales.refusals import DUPLICATE, KEY_NOT_UNIQUE, classify
from connectors.freshsales.searching import Searcher
from connectors.freshsales.verdicts import REFUSED, accepted, gone, missing, refusal, refused, unknown_name
from connectors.http import ApiClient, Sleep

SINGLES = 3
"""A job costs three calls: starting it, its report, and reading the ids it made."""
_LOOKS = (0.0, 1.0, 3.0, 8.0)  # seconds before each look for records that a finished job made: search may lag


@dataclass(slots=True)
class Draft:
    """One record on its way: its place in the batch, payload and body, or the refusal that spared the call."""

    place: int
    payload: dict[str, Any]
    body: dict[str, Any]
    result: WriteResult | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a module's bodies need: dropdowns, lookups, labels and custom fields."""

    names: Names
    lookups: frozenset[str]
    labels: Mapping[str, str]
    custom: frozenset[str]


async def shape_of(metadata: Metadata, module: Module) -> Shape:
    fields = await metadata.fields(module)
    return Shape(
        names=await names_of(metadata, module),
        lookups=frozenset(field.name for field in fields if field.is_custom and field.type == "lookup"),
        labels={(field.label or field.name).strip().casefold(): field.name for field in fields},
        custom=frozenset(field.name for field in fields if field.is_custom),
    )


class Writer:
    """Writing calls of one account for record modules."""

    def __init__(
        self, api: ApiClient, metadata: Metadata, reader: Reader, searcher: Searcher, jobs: BulkJobs, sleep: Sleep
    ) -> None:
        self._api = api
        self._metadata = metadata
        self._reader = reader
        self._searcher = searcher
        self._jobs = jobs
        self._sleep = sleep

    async def write(self, module: Module, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        """Inserts, or upserts by the key field."""
        _check_size(records)
        shape = await shape_of(self._metadata, module)
        drafts = _drafts(module, records, shape)
        open_drafts = [draft for draft in drafts if draft.result is None]
        keyed = target.style is WriteStyle.UPSERT and bool(target.key_field) and (module.bulk or module.upsert)
        if (
            keyed
            and module.bulk
            and len(open_drafts) > SINGLES
            and all(draft.payload.get(target.key_field) for draft in open_drafts)
        ):
            await self._bulk_by_key(module, target.key_field, open_drafts, shape)
        else:
            await self._one_by_one(module, target, open_drafts, shape, keyed=keyed)
        await self._name_duplicates(module, target.key_field, open_drafts)
        return [_result(draft) for draft in drafts]

    async def update(self, module: Module, records: Sequence[bytes]) -> list[WriteResult]:
        """Changes the fields each record names; each carries its `id`."""
        _check_size(records)
        shape = await shape_of(self._metadata, module)
        drafts = _drafts(module, records, shape)
        for draft in drafts:
            if draft.result is None and not is_id(str(draft.payload.get("id"))):
                draft.result = missing(str(draft.payload.get("id")))
        open_drafts = [draft for draft in drafts if draft.result is None]
        await self._merge(module, open_drafts, shape)
        open_drafts = [draft for draft in open_drafts if draft.result is None]
        if module.bulk and len(open_drafts) > SINGLES:
            await self._bulk_by_id(module, open_drafts, shape)
        else:
            for draft in open_drafts:
                draft.result = await self._put(module, draft, shape)
        return [_result(draft) for draft in drafts]

    # ── one call per record ───────────────────────────────────────────────────────────────────────────────────────

    async def _one_by_one(
        self, module: Module, target: WriteTarget, drafts: Sequence[Draft], shape: Shape, *, keyed: bool
    ) -> None:
        """An error after the first stored record is Ambiguous: the batch must not be sent again unseen."""
        stored = False
        for draft in drafts:
            try:
                if keyed and draft.payload.get(target.key_field):
                    draft.result = await self._upsert(module, target.key_field, draft, shape)
                else:
                    draft.result = await self._insert(module, draft, shape)
            except (Transient, QuotaExhausted, BatchRefused) as error:
                if stored:
                    raise Ambiguous(f"stopped within a batch: {error.detail}", code="BATCH_STOPPED") from error
                raise
            stored = stored or draft.result.status is not WriteStatus.REFUSED

    async def _insert(self, module: Module, draft: Draft, shape: Shape) -> WriteResult:
        body = {module.singular: draft.body}
        return await self._send("POST", module.path, module, body, shape, WriteStatus.CREATED, f"write {module.name}")

    async def _upsert(self, module: Module, key_field: str, draft: Draft, shape: Shape) -> WriteResult:
        """201 says created, 200 updated (section 10). Raises ContractBroken where the key is none."""
        body = {"unique_identifier": {key_field: draft.payload[key_field]}, module.singular: draft.body}
        path = f"{module.path}/upsert"
        result = await self._send("POST", path, module, body, shape, WriteStatus.UPDATED, f"write {module.name}")
        if result.code == KEY_NOT_UNIQUE:
            raise _not_unique(module, key_field)
        return result

    async def _put(self, module: Module, draft: Draft, shape: Shape) -> WriteResult:
        identifier = str(draft.payload["id"])
        body = {module.singular: draft.body}
        path = f"{module.path}/{part(identifier)}"
        result = await self._send("PUT", path, module, body, shape, WriteStatus.UPDATED, f"update {module.name}")
        return result._replace(id=identifier)

    async def _send(
        self, method: str, path: str, module: Module, body: Any, shape: Shape, plain: WriteStatus, purpose: str
    ) -> WriteResult:
        answer = await self._api.request(
            method,
            path,
            purpose=purpose,
            writing=True,
            idempotent=method == "PUT",
            content=msgspec.json.encode(body),
            headers=JSON,
            accept=REFUSED,
        )
        if answer.status == 404 and method == "POST":
            raise self._api.refusal(answer)  # there is no record in the path: what is not there is the module
        if answer.status in REFUSED:
            return refused(answer, shape.labels)
        return accepted(answer, module.singular, WriteStatus.CREATED if answer.status == 201 else plain)

    # ── bulk jobs ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _bulk_by_key(self, module: Module, key_field: str, drafts: Sequence[Draft], shape: Shape) -> None:
        """A job, then the ids of what it made found again by key (section 10: the report does not name them)."""
        doubles = _drop_doubles(drafts, key_field)
        drafts = [draft for draft in drafts if draft not in doubles]
        keys = [str(draft.payload[key_field]) for draft in drafts]
        rows = [{key_field: key, "data": draft.body} for key, draft in zip(keys, drafts, strict=True)]
        report = await self._jobs.run(module, rows, keys)
        if _says_not_unique(report, len(drafts)):
            raise _not_unique(module, key_field)
        for place, texts in report.failures.items():
            drafts[place].result = refusal(texts, shape.labels)
        await self._collect(module, key_field, drafts, report, shape)
        for draft in doubles:  # the same key twice in one batch: the later one changes what the earlier one made
            draft.result = await self._upsert(module, key_field, draft, shape)

    async def _collect(
        self, module: Module, key_field: str, drafts: Sequence[Draft], report: Report, shape: Shape
    ) -> None:
        wanted = {str(draft.payload[key_field]): draft for draft in drafts if draft.result is None}
        labels = {key: str(draft.payload.get("name") or "") for key, draft in wanted.items()}
        for pause in _LOOKS:
            if not wanted:
                return
            if pause:
                await self._sleep(pause)
            found = await self._searcher.find(module, key_field, list(wanted), labels=labels)
            for key, rows in found.items():
                wanted.pop(key).result = _made(rows[0], report)
            if len(wanted) <= len(report.unplaced):
                break
        for draft, texts in zip(list(wanted.values()), report.unplaced, strict=False):
            draft.result = refusal(texts, shape.labels)
            wanted.pop(str(draft.payload[key_field]))
        if wanted:
            raise Ambiguous(f"{len(wanted)} records of a finished bulk job do not show yet", code="NOT_SHOWN_YET")

    async def _bulk_by_id(self, module: Module, drafts: Sequence[Draft], shape: Shape) -> None:
        keys = [str(draft.payload["id"]) for draft in drafts]
        rows = [{"id": key, "data": draft.body} for key, draft in zip(keys, drafts, strict=True)]
        report = await self._jobs.run(module, rows, keys)
        for place, texts in report.failures.items():
            drafts[place].result = refusal(texts, shape.labels)._replace(id=keys[place])
        for draft in drafts:
            if draft.result is None and report.unplaced:  # which row failed is not said: each is sent by itself
                draft.result = await self._put(module, draft, shape)
            elif draft.result is None:
                draft.result = gone(str(draft.payload["id"]))

    # ── what has to be known before ───────────────────────────────────────────────────────────────────────────────

    async def _merge(self, module: Module, drafts: Sequence[Draft], shape: Shape) -> None:
        """Completes `custom_field`, which replaces the whole object in some accounts, and lists of linked records.

        Costs nothing when a record names no custom field, or names all of them.
        """
        partly = [draft for draft in drafts if _is_partial(draft, shape)]
        if not partly:
            return
        includes = [
            name
            for name, field in (("sales_accounts", "sales_account"), ("contacts", "contacts"))
            if any(field in draft.payload for draft in partly) and module.name in ("contacts", "deals")
        ]
        rows = await self._reader.rows(module, [str(draft.payload["id"]) for draft in partly], includes)
        for draft in partly:
            row = rows.get(str(draft.payload["id"]))
            if row is None:
                draft.result = missing(str(draft.payload["id"]))
                continue
            current = row.get("custom_field")
            if "custom_field" in draft.body and isinstance(current, dict):
                draft.body["custom_field"] = merged_custom(current, draft.body["custom_field"])
            if isinstance(row.get("company"), dict) and "company" in draft.body:
                draft.body["company"] = {**row["company"], **draft.body["company"]}
            _merge_links(draft, row)

    async def _name_duplicates(self, module: Module, key_field: str, drafts: Iterable[Draft]) -> None:
        """Says which record is in the way of a refused duplicate: by our key first, then by e-mail or name."""
        for field in dict.fromkeys((key_field, "email" if module.name in ("contacts", "leads") else "name")):
            wanted = {
                str(draft.payload[field]): draft
                for draft in drafts
                if field and draft.result and _is_unnamed_duplicate(draft.result) and draft.payload.get(field)
            }
            if not wanted:
                continue
            found = await self._searcher.find(module, field, list(wanted))
            folded = {value.casefold(): rows for value, rows in found.items()}
            for value, draft in wanted.items():
                rows = folded.get(value.casefold())
                if rows and draft.result:
                    draft.result = draft.result._replace(field=field, duplicate_id=rows[0].id)

    # ── deleting and owners ───────────────────────────────────────────────────────────────────────────────────────

    async def delete(self, module: Module, ids: Sequence[str], *, forget: bool) -> list[WriteResult]:
        """To the recycle bin, a hundred a call; `forget` purges each afterwards (section 17). Gone is gone."""
        wanted = [one for one in dict.fromkeys(ids) if is_id(one)]
        for chunk in chunked(wanted):
            if len(chunk) == 1:
                await self._call("DELETE", f"{module.path}/{chunk[0]}", f"delete {module.name}")
                continue
            body = {"selected_ids": [int(one) for one in chunk]}
            path = "/cpq/products_bulk_delete" if module is modules.PRODUCTS else f"{module.path}/bulk_destroy"
            await self._call("POST", path, f"delete {module.name}", body)
        if forget and module is not modules.PRODUCTS:
            for one in wanted:
                await self._call("DELETE", f"{module.path}/{one}/forget", f"forget {module.name}")
        return [gone(one) for one in ids]

    async def _call(self, method: str, path: str, purpose: str, body: Any = None) -> None:
        """A call by ids whose answer is a bare `true`, a message or nothing; 404 means gone already."""
        await self._api.request(
            method,
            path,
            purpose=purpose,
            writing=True,
            idempotent=True,
            content=None if body is None else msgspec.json.encode(body),
            headers=JSON,
            accept=frozenset({404}),
        )

    async def reassign(self, module: Module, ids: Sequence[str], user: str) -> list[WriteResult]:
        """Gives records to another active user."""
        results: list[WriteResult] = []
        for chunk in chunked(ids):
            if module.name == "contacts":
                body = {"selected_ids": [int(part(one)) for one in chunk], "owner_id": as_id(user)}
                await self._call("POST", f"{module.path}/bulk_assign_owner", f"reassign {module.name}", body)
                results += [gone(one) for one in chunk]
            else:
                records = [msgspec.json.encode({"id": one, "owner_id": user}) for one in chunk]
                results += await self.update(module, records)
        return results


def _check_size(records: Sequence[bytes]) -> None:
    if len(records) > PER_PAGE:
        raise BatchRefused(f"a call takes {PER_PAGE} records, not {len(records)}", code="TOO_MANY")


def _drafts(module: Module, records: Sequence[bytes], shape: Shape) -> list[Draft]:
    drafts = []
    for place, payload in enumerate(payloads_of(records)):
        draft = Draft(place, payload, {})
        try:
            draft.body = flat_body(module, payload, shape.names, shape.lookups)
        except UnknownName as error:
            draft.result = unknown_name(error.field)
        drafts.append(draft)
    return drafts


def _result(draft: Draft) -> WriteResult:
    assert draft.result is not None
    return draft.result


def _drop_doubles(drafts: Sequence[Draft], key_field: str) -> list[Draft]:
    seen: set[str] = set()
    doubles = []
    for draft in drafts:
        key = str(draft.payload[key_field]).casefold()
        if key in seen:
            doubles.append(draft)
        seen.add(key)
    return doubles


def _says_not_unique(report: Report, size: int) -> bool:
    refusals = [*report.failures.values(), *report.unplaced]
    return len(refusals) >= size and all(classify(texts) == KEY_NOT_UNIQUE for texts in refusals)


def _not_unique(module: Module, key_field: str) -> ContractBroken:
    """Gone, or not unique any more: no single record is at fault."""
    return ContractBroken(f"{module.name}: the field {key_field} is not unique in this account", code=KEY_NOT_UNIQUE)


def _made(found: Found, report: Report) -> WriteResult:
    """Created by this job unless the record is older than it; times are whole seconds."""
    older = (
        report.started is not None
        and found.created_at is not None
        and found.created_at < report.started - timedelta(seconds=1)
    )
    modified = found.modified_at.isoformat() if found.modified_at else None
    return WriteResult(WriteStatus.UPDATED if older else WriteStatus.CREATED, found.id, modified)


def _is_partial(draft: Draft, shape: Shape) -> bool:
    """Whether the record may hold custom values or links that the body does not name."""
    custom = draft.body.get("custom_field")
    if isinstance(custom, dict) and not shape.custom <= custom.keys():
        return True
    return not draft.body.keys().isdisjoint(("sales_accounts", "contacts_added_list", "company"))


def _merge_links(draft: Draft, row: Mapping[str, Any]) -> None:
    """A contact keeps its other accounts; a deal loses the contacts that a restored value does not name, and its only
    contact when another one takes its place. Of several, those that people added stay.
    """
    linked = row.get("sales_accounts")
    if "sales_accounts" in draft.body and isinstance(linked, list):
        named = draft.body["sales_accounts"]
        ours = {str(one["id"]) for one in named}
        others = [one for one in linked if isinstance(one, dict) and str(one.get("id")) not in ours]
        if named:
            draft.body["sales_accounts"] = [*named, *({"id": one["id"], "is_primary": False} for one in others)]
    standing = row.get("contact_ids")
    added = draft.body.get("contacts_added_list")
    if isinstance(added, list) and isinstance(standing, list) and (not added or len(standing) == 1):
        draft.body["contacts_removed_list"] = [one for one in standing if one not in added]


def _is_unnamed_duplicate(result: WriteResult) -> bool:
    return result.status is WriteStatus.REFUSED and result.code == DUPLICATE and result.duplicate_id is None
