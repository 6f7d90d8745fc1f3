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

    def ids(self, module: str) -> frozenset[str]:
        return frozenset(self.records.get(module, ()))

    @property
    def size(self) -> int:
        return sum(len(one) for one in self.records.values())


def read_dump(client: Client, beside: frozenset[str] = frozenset()) -> Dump:
    """Everything that lives at the destination now, by the stand-in's own names; one line in memory at a time.

    Modules in `beside` are left out: the vendor makes their records by itself.
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
            digest = blake2b(line.strip(), digest_size=16).digest()
            dump.records.setdefault(record["module"], {})[_key(record)] = digest
            if record.get("url") or record.get("data", {}).get("url"):
                dump.links.setdefault(record["module"], set()).add(_key(record))
    return dump


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
        found += [f"{module} {one} differs" for one in sorted(old.keys() & new.keys()) if old[one] != new[one]]
    return found[:SHOWN] if len(found) <= SHOWN else [*found[:SHOWN], f"and {len(found) - SHOWN} more"]


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
