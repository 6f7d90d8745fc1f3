"""The destination's data as its stand-in tells them: counted against the ledger, and compared before and after.

Only the demo and the tests ask a stand-in for its own data (rulings 31 and 32); the product reads the vendor's API.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from app.demo.client import Client

SHOWN = 20
RELATIONS = "Relations"
UNSEEN = frozenset({"phone_call"})
"""What a stand-in keeps beside a record of ours and no call of the vendor's shows or deletes: the log of a phone call,
whose note is the record. A rollback says how many of those stay."""


@dataclass(slots=True)
class Dump:
    """Per module a digest of each live record, link or file, by id. Schema is no part of it (ruling 24)."""

    records: dict[str, dict[str, bytes]] = field(default_factory=dict)
    links: dict[str, set[str]] = field(default_factory=dict)
    """By module, ids of files that are links."""
    fields: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    """By module and id a digest of each field, where they were asked for: they name what differs without its value."""

    def ids(self, module: str) -> frozenset[str]:
        return frozenset(self.records.get(module, ()))

    @property
    def size(self) -> int:
        return sum(len(one) for one in self.records.values())


def read_dump(client: Client, beside: frozenset[str] = frozenset(), *, fields: bool = False) -> Dump:
    """Everything that lives at the destination now, by the stand-in's own names; one line in memory at a time.

    Modules in `beside` are left out: the vendor makes their records by itself. With `fields` a digest of every field
    is kept too, which takes some kilobytes a record.
    Raises Refused, NoAnswer.
    """
    dump = Dump()
    for line in client.lines("/_sandbox/dump", module="*"):
        if line.strip():
            record = json.loads(line)
            if record["module"] in beside:
                continue
            if record["module"] in UNSEEN:
                continue
            dump.records.setdefault(record["module"], {})[_key(record)] = _digest(line.strip())
            if fields:
                dump.fields.setdefault(record["module"], {})[_key(record)] = _fields_of(record)
            if record.get("url") or record.get("data", {}).get("url"):
                dump.links.setdefault(record["module"], set()).add(_key(record))
    return dump


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def _fields_of(record: Mapping[str, Any]) -> dict[str, bytes]:
    """A digest per field, those one step below included (`data.Phone`)."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": one for part, one in value.items()}
        else:
            flat[name] = value
    return {name: _digest(json.dumps(value, sort_keys=True).encode()) for name, value in flat.items()}


def _key(record: Mapping[str, Any]) -> str:
    return str(record["id"]) if "id" in record else f"{record['kind']}:{record['left']}:{record['right']}"


def differences(before: Dump, after: Dump, left: Mapping[str, frozenset[str]] = MappingProxyType({})) -> list[str]:
    """What is not as it was, at most SHOWN of them in words; empty when both are equal. `left` are records by module
    that no call can take away (ruling 24): they do not count.
    """
    found = []
    for module in sorted({*before.records, *after.records}):
        old, new = before.records.get(module, {}), after.records.get(module, {})
        new = {key: one for key, one in new.items() if key in old or key not in left.get(module, ())}
        found += [f"{module} {one} is gone" for one in sorted(old.keys() - new.keys())]
        found += [f"{module} {one} is left" for one in sorted(new.keys() - old.keys())]
        changed = [one for one in sorted(old.keys() & new.keys()) if old[one] != new[one]]
        found += [f"{module} {one} differs{_where(before, after, module, one)}" for one in changed]
    return found[:SHOWN] if len(found) <= SHOWN else [*found[:SHOWN], f"and {len(found) - SHOWN} more"]


def _where(before: Dump, after: Dump, module: str, one: str) -> str:
    """The fields in which a record differs, each with what happened to it; "" where nobody kept them."""
    old, new = (dump.fields.get(module, {}).get(one, {}) for dump in (before, after))
    blank = _digest(b"null")
    said = []
    for name in sorted(old.keys() | new.keys()):
        was, is_now = old.get(name, blank), new.get(name, blank)
        if was != is_now:
            said.append(f"{name} {'was blank' if was == blank else 'is blank now' if is_now == blank else 'changed'}")
    return f" in {', '.join(said)}" if said else ""


def count_disagreements(before: Dump, after: Dump, ours: Mapping[str, frozenset[str]]) -> list[str]:
    """Where the ledger and the destination disagree on what we created.

    `ours` holds record ids per module from the ledger. What is new at the destination must be exactly that.
    """
    found = []
    for module in sorted({*ours, *after.records} - {RELATIONS}):
        new = after.ids(module) - before.ids(module)
        mine = ours.get(module, frozenset())
        if new - mine:
            found.append(f"{module}: {len(new - mine)} records at the destination that the ledger does not know")
        if mine - new:
            found.append(f"{module}: {len(mine - new)} records of the ledger that the destination does not have")
    return found
