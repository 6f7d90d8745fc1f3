"""A fault of the stand-in: single records are refused, always the same ones, whichever call brings them."""

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from connectors.freshsales.sandbox.answers import bad
from connectors.freshsales.sandbox.crm import Crm

_NAMES = ("external_id", "name", "last_name", "title", "description", "notes")


def refuse_unlucky(crm: Crm, module: str, values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """400 for a record that `reject_record` (per 10,000) picks by a hash of its key.

    The key is the first filled one of: a unique custom field, the external id, the name or title, the text. A change
    that does not name it is picked by what the record held `before`.
    """
    rate = crm.faults.values.get("reject_record", 0)
    if rate <= 0:
        return
    known = crm.schema.modules.get(module)
    unique = [field.name for field in known.fields.values() if field.custom and field.unique] if known else []
    held: dict[str, Any] = {}
    for given in (before or {}, values):
        custom = given.get("custom_field")
        held |= custom if isinstance(custom, dict) else {}
        held |= {name: value for name, value in given.items() if name != "custom_field"}
    key = next((held[name] for name in (*unique, *_NAMES) if isinstance(held.get(name), str) and held[name]), None)
    text = orjson.dumps([module, key if key is not None else held, crm.faults.values.get("seed", 1)], default=str)
    if zlib.crc32(text) % 10_000 < rate:
        crm.faults.injected["reject_record"] += 1
        raise bad("Record could not be saved")
