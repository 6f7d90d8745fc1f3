"""The conformance suite of a destination: rehearsals under the faults that each guarantee is about, as one table.

What the table says was measured by the run that wrote it. `GET /v1/platforms/{slug}` shows it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.demo.table import Screen
from app.rehearsal.faults import chosen
from app.rehearsal.outcome import Outcome
from app.rehearsal.rehearsing import RESUME_SECONDS, CannotStart, rehearse
from app.rehearsal.widening import wider


@dataclass(frozen=True, slots=True)
class Trial:
    """One guarantee and the faults it has to hold under."""

    guarantee: str
    text: str
    faults: str


TRIALS = (
    Trial(
        "exactly_one",
        "Answers are lost after the work was done, cut, or never come: one record each, none twice, none missing.",
        "commit_drop,drop_answer,error_after,reset,cut,stall",
    ),
    Trial(
        "conservation",
        "Single records and whole batches are refused: every record ends in one named outcome, and the sums agree.",
        "rejects,batch_refused,too_many,server_error,search_lag,token_expiry",
    ),
    Trial(
        "resume",
        f"Workers are killed or stopped, servers crash: somebody drives on within {RESUME_SECONDS:.0f} s, nothing is "
        "sent twice.",
        "worker_kill,worker_stop,database_kill,database_restart,queue_flush,queue_restart",
    ),
    Trial(
        "without_keys",
        "No field can be made unique, so that a record sent twice would stand there twice: one record each all the "
        "same, while answers are lost.",
        "duplicates_accepted,commit_drop,drop_answer,error_after",
    ),
    Trial(
        "changing_schema",
        "A field or a module is taken away, a picklist narrowed, a field made mandatory: the run waits and names it, "
        "or records are held under its name, and all of them land once.",
        "field_gone,module_gone,options_gone,field_required",
    ),
)


def run_conformance(pair: tuple[str, str], records: int, seed: int, json_path: Path | None) -> int:
    """Runs every trial once; 0 when all guarantees hold, 1 otherwise, 2 when it cannot start."""
    screen = Screen()
    found: list[tuple[Trial, Outcome]] = []
    for trial in TRIALS:
        screen.step(f"Trial: {trial.guarantee}")
        try:
            outcome = rehearse(screen, pair, chosen(trial.faults), seed, records, wider(pair))
        except CannotStart as wrong:
            screen.fail(f"tranship: {wrong}")
            return 2
        for sentence in outcome.broken:
            screen.fail(f"broken: {sentence}")
        found.append((trial, outcome))
    table = table_of(pair, records, seed, found)
    text = json.dumps(table, indent=2) + "\n"
    if json_path is not None:
        json_path.write_text(text, encoding="utf-8")
    screen.say(text)
    return 0 if all(one["holds"] for one in table["guarantees"]) else 1


def table_of(pair: tuple[str, str], records: int, seed: int, found: list[tuple[Trial, Outcome]]) -> dict[str, Any]:
    """The table of guarantees: per trial whether it held and under how many faults, and the same per object."""
    guarantees = []
    for trial, outcome in found:
        objects = {
            name: {**counts, "holds": counts["duplicates"] == 0 and counts["missing"] == 0}
            for name, counts in sorted(outcome.objects.items())
        }
        guarantees.append(
            {
                "name": trial.guarantee,
                "text": trial.text,
                "holds": not outcome.broken,
                "faults": sum(outcome.injected.values()),
                "kinds": sorted(name for name, number in outcome.injected.items() if number),
                "objects": objects,
            }
        )
    outcomes = [outcome for _, outcome in found]
    guarantees += [
        {
            "name": "exact_rollback",
            "text": "After the rollback the destination is what it was: one Merkle root before and after.",
            "holds": all(one.unequal_roots == 0 and one.roots for one in outcomes),
            "faults": sum(sum(one.injected.values()) for one in outcomes),
            "kinds": [],
            "objects": {},
        },
        {
            "name": "reconciliation",
            "text": "Everything written is read back through the vendor's API and equals what was meant.",
            "holds": all(one.discrepancies == 0 and one.moved for one in outcomes),
            "faults": sum(sum(one.injected.values()) for one in outcomes),
            "kinds": [],
            "objects": {},
        },
    ]
    return {
        "destination": pair[1],
        "source": pair[0],
        "records": records,
        "seed": seed,
        "proved_on": datetime.now(UTC).date().isoformat(),
        "slowest_resume_seconds": round(max((one.slowest_resume for one in outcomes), default=0.0), 1),
        "guarantees": guarantees,
    }
