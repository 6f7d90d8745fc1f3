"""Endpoints that write records: insert, update, upsert, notes of a record, mass update and change of owner."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import (
    ItemProblem,
    Json,
    Refusal,
    batch_reply,
    invalid,
    problem,
    reply,
    success,
)
from connectors.zoho_crm.sandbox.catalogue import NO_UPSERT
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.external import addressed_id, external_header
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.reading import header_time
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.values import Batch, as_id, check_value
from connectors.zoho_crm.sandbox.writer import Mode, Order, Writer

BATCH = 100
_MASS = 500


class TooMany(Exception):
    """More than a hundred items: answered inside `data[0]`."""

    def __init__(self, body: Json) -> None:
        super().__init__("too many items")
        self.body = body


def batch_of(module: Module, body: Json) -> list[Any]:
    """The `data` array; refuses none, and more than a hundred (Zoho fact sheet sections 3 and 19 item 4)."""
    items = body.get("data")
    if not isinstance(items, list) or not items:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"expected_data_type": "jsonarray", "api_name": "data"})
    if len(items) <= BATCH:
        return items
    details = {"maximum_length": BATCH, "api_name": "data"}
    if module.api_name == "Notes":
        raise TooMany(problem("INVALID_DATA", "invalid data", {**details, "json_path": "$.data"}))
    raise TooMany(problem("LIMIT_EXCEEDED", "count of records in your request exceeds the limit", details))


def _write(crm: Crm, module: Module, mode: Mode, items: Sequence[Any], order: Order) -> Response:
    results = Writer(crm, module, order).run(items)
    if order.unmodified_since is not None and all(result["code"] == "ALREADY_MODIFIED" for result in results):
        return reply(412, {"data": results})
    good = 201 if mode == "insert" else 200
    return batch_reply("data", results, good=good, all_failed=crm.options.all_failed_status)


async def insert(crm: Crm, request: Request) -> Response:
    """POST /{module} (Zoho fact sheet section 10)."""
    module = crm.schema.module(request.path_params["module"])
    _, lookups = external_header(crm, module, request)
    try:
        items = batch_of(module, json_object(request.scope))
    except TooMany as refused:
        return reply(400, {"data": [refused.body]})
    return _write(crm, module, "insert", items, Order("insert", external_lookups=lookups))


async def update(crm: Crm, request: Request) -> Response:
    """PUT /{module}: each item names its record by `id` or by the external field of X-EXTERNAL (section 11, 12)."""
    module = crm.schema.module(request.path_params["module"])
    own, lookups = external_header(crm, module, request)
    try:
        items = batch_of(module, json_object(request.scope))
    except TooMany as refused:
        return reply(400, {"data": [refused.body]})
    since = header_time(request, "If-Unmodified-Since")
    order = Order("update", external_id=own, external_lookups=lookups, unmodified_since=since)
    return _write(crm, module, "update", items, order)


async def update_one(crm: Crm, request: Request) -> Response:
    """PUT /{module}/{id or external value}."""
    module = crm.schema.module(request.path_params["module"])
    own, lookups = external_header(crm, module, request)
    items = batch_of(module, json_object(request.scope))
    if len(items) != 1 or not isinstance(items[0], dict):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "data", "maximum_length": 1})
    record_id = addressed_id(crm, module, request)
    since = header_time(request, "If-Unmodified-Since")
    order = Order("update", path_external=own, external_lookups=lookups, unmodified_since=since)
    return _write(crm, module, "update", [{**items[0], "id": str(record_id)}], order)


async def upsert(crm: Crm, request: Request) -> Response:
    """POST /{module}/upsert (Zoho fact sheet section 11); not offered for tasks, events, calls and notes."""
    module = crm.schema.module(request.path_params["module"])
    if module.api_name in NO_UPSERT:
        raise Refusal(400, "NOT_SUPPORTED", "upsert is not supported for this module", {"resource_path_index": 0})
    body = json_object(request.scope)
    try:
        items = batch_of(module, body)
    except TooMany as refused:
        return reply(400, {"data": [refused.body]})
    _, lookups = external_header(crm, module, request)
    order = Order("upsert", match_fields=_match_fields(module, body), external_lookups=lookups)
    return _write(crm, module, "upsert", items, order)


def _match_fields(module: Module, body: Json) -> list[Field] | None:
    names = body.get("duplicate_check_fields")
    if names is None:
        return None
    allowed = {item.api_name for item in module.keyed_fields} | {module.duplicate_field}
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not set(names) <= allowed:
        details = {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields"}
        raise Refusal(
            400, "INVALID_DATA", "invalid data", {**details, "supported_values": sorted(n for n in allowed if n)}
        )
    return [module.fields[name] for name in names]


async def add_notes(crm: Crm, request: Request) -> Response:
    """POST /{module}/{id}/Notes: notes of one record (Zoho fact sheet section 16)."""
    parent_module = crm.schema.module(request.path_params["module"])
    parent = addressed_id(crm, parent_module, request)
    notes = crm.schema.module("Notes")
    try:
        items = batch_of(notes, json_object(request.scope))
    except TooMany as refused:
        return reply(400, {"data": [refused.body]})
    own = {"module": {"api_name": parent_module.api_name}, "id": str(parent)}
    filled = [{**item, "Parent_Id": own} if isinstance(item, dict) else item for item in items]
    return _write(crm, notes, "insert", filled, Order("insert"))


async def mass_update(crm: Crm, request: Request) -> Response:
    """POST /{module}/actions/mass_update with ids: one field for up to 500 records (Zoho fact sheet section 18)."""
    module = crm.schema.module(request.path_params["module"])
    body = json_object(request.scope)
    data, ids = body.get("data"), body.get("ids")
    if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], dict):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "data", "expected_data_type": "jsonarray"})
    if len(data[0]) > (3 if module.api_name == "Deals" else 1):
        raise Refusal(400, "LIMIT_EXCEEDED", "the limit of fields is exceeded", {"api_name": "data"})
    if not isinstance(ids, list) or not 0 < len(ids) <= _MASS:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "ids", "maximum_length": _MASS})
    results = Writer(crm, module, Order("update")).run([{**data[0], "id": item} for item in ids])
    return batch_reply("data", results)


async def change_owner(crm: Crm, request: Request) -> Response:
    """POST /{module}/actions/change_owner, or for one record with its id in the path (Zoho fact sheet section 13)."""
    module = crm.schema.module(request.path_params["module"])
    body = json_object(request.scope)
    single = request.path_params.get("id")
    ids = [single] if single is not None else body.get("ids")
    if not isinstance(ids, list) or not 0 < len(ids) <= _MASS:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "ids", "maximum_length": _MASS})
    try:
        owner = check_value(Batch(crm, module), module.fields["Owner"], body.get("owner"), "$.owner")
    except ItemProblem as refused:
        raise Refusal(400, refused.code, refused.message, {**refused.details, "api_name": "owner"}) from refused
    with crm.store.transaction():
        results = [_owned(crm, module, item, owner, f"$.ids[{n}]") for n, item in enumerate(ids)]
    return batch_reply("data", results)


def _owned(crm: Crm, module: Module, item: Any, owner: str, path: str) -> Json:
    record_id = as_id(item)
    row = crm.store.row(module.api_name, record_id) if record_id is not None else None
    if row is None:
        return invalid("id", path, message="the id given seems to be invalid").body()
    crm.store.run(
        "UPDATE records SET data = json_set(data, '$.Owner', ?), modified = ?, touched = ?, modifier = ? WHERE id = ?",
        (owner, crm.now(), crm.seconds(), crm.people.admin.id, row.id),
    )
    crm.stats.updated[module.api_name] += 1
    return success("owner updated", {"id": str(row.id)})
