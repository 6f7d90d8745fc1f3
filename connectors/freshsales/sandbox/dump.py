"""`/_sandbox/dump`: every live record, file and link as NDJSON, in a form that compares equal after an undo."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.freshsales.sandbox.answers import Json
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.store import Row

_STEP = 1_000
_LINK_KINDS = ("contact_account", "deal_account", "deal_contact")
# What the account itself sets when a record is touched, and ids of parts: shown with `include_system=1` only.
_SYSTEM = ("stage_updated_time",)
_PART_IDS = {"emails": "id", "phone_numbers": "id", "products": "association_id", "attendees": "id"}


async def dump(crm: Crm, request: Request) -> Response:
    """GET /_sandbox/dump?module=*&include_system=0.

    A line is `{"module", "id", "data", "owner", "links"?, "system"?}`; a file's line carries name, size and checksum.
    Product lines stand in their deals and, as `deal_product` with the id `<deal>.<line>`, once more by themselves.
    """
    wanted = request.query_params.get("module", "*")
    system = request.query_params.get("include_system", "0") == "1"
    return StreamingResponse(_lines(crm, wanted, system=system), media_type="application/x-ndjson")


async def _lines(crm: Crm, wanted: str, *, system: bool) -> AsyncIterator[bytes]:
    where, values = ("deleted = 0", []) if wanted == "*" else ("deleted = 0 AND module = ?", [wanted])
    last = 0
    while rows := crm.store.rows(f"{where} AND id > ?", [*values, last], f"ORDER BY id LIMIT {_STEP}"):
        last = rows[-1].id
        yield b"".join(_line(crm, row, system=system) + _parts(row) for row in rows)
    if wanted not in ("*", "file"):
        return
    for key, target, kind, name, size, sha256, url, shared, _ in crm.store.all("SELECT * FROM files ORDER BY id"):
        body: Json = {"name": name, "size": size, "sha256": sha256, "url": url, "shared": bool(shared)}
        parent = {"target": target, "target_type": kind}
        yield _packed({"module": "file", "id": key, "data": {**body, **parent}})


def _line(crm: Crm, row: Row, *, system: bool) -> bytes:
    line: Json = {"module": row.module, "id": row.id, "data": _plain(row), "owner": row.owner}
    links = {kind: crm.store.linked(kind, row.id) for kind in _LINK_KINDS}
    if any(links.values()):
        line["links"] = {kind: found for kind, found in links.items() if found}
    if system:
        line["system"] = {
            "created_at": crm.when(row.created), "updated_at": crm.when(row.updated), "creater_id": row.creator,
            "updater_id": row.updater, **{name: row.data.get(name) for name in _SYSTEM},
        }  # fmt: skip
    return _packed(line)


def _parts(row: Row) -> bytes:
    """The product lines of a deal, one by one."""
    lines = row.data.get("products") or [] if row.module == "deal" else []
    return b"".join(
        _packed(
            {
                "module": "deal_product",
                "id": f"{row.id}.{line['association_id']}",
                "data": _without(line, "association_id"),
            }
        )
        for line in lines
    )


def _plain(row: Row) -> Json:
    found: Json = {}
    for name, value in row.data.items():
        if name in _SYSTEM or value in (None, "", [], {}):
            continue
        part_id = _PART_IDS.get(name)
        found[name] = [_without(item, part_id) for item in value] if part_id else value
    return found


def _without(item: Any, name: str) -> Any:
    return {key: value for key, value in item.items() if key != name}


def _packed(line: Json) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
