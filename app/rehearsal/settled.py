"""Clients that the customer has at the destination already, under the ids of the old system.

A run takes them over and a rollback has to give them back as they were: without them every record would be ours, and
an exact rollback would be nothing but deleting.
"""

import json
import random

from app.demo.standins import STAND_INS
from app.demo.walking import Walk

_MOST = 12
_SHARE = 0.2
_WORDS = ("Acme", "Borealis", "Cobalt", "Delphi", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper")


def settle(walk: Walk, seed: int) -> int:
    """Enters some of the source's clients by hand at the destination; how many."""
    source, destination = STAND_INS[walk.pair[0]], STAND_INS[walk.pair[1]]
    if not source.client or destination.client_entry is None:
        return 0
    draw = random.Random(seed)  # noqa: S311  a rehearsal is to be repeatable, not secret
    rows = [json.loads(line) for line in walk.source.lines("/_sandbox/dump", object=source.client) if line.strip()]
    ids = sorted(str(row["Id"]) for row in rows if not row.get("IsDeleted"))
    chosen = draw.sample(ids, min(_MOST, max(1, round(len(ids) * _SHARE))))
    for number, one in enumerate(chosen):
        former = f"{walk.pair[0]}:{source.client}:{one}"
        name = f"{draw.choice(_WORDS)} {number} (theirs)"
        walk.destination.post("/_sandbox/admin", destination.client_entry(former, name))
    return len(chosen)
