"""What the proposer costs in a fresh process: `python -m tests.bench.matching.cost SCHEMA.json` prints it as JSON.

Everything between the interpreter's start and the first proposal counts as the cold start.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.matching.tasks import own_tasks

FIELDS = 400
SMALL = {"platform": "unheard of", "objects": [
    {"name": "people", "fields": [{"name": name} for name in ("first name", "last name", "mail", "mobile", "company")]},
]}  # fmt: skip
HEAVY = ("fastapi", "sqlmodel", "sqlalchemy", "httpx", "asyncpg", "arq", "redis", "scipy", "sklearn", "torch")
"""Packages that have no business in a proposal without a server."""
_CHILD = """
import json, re, sys, time
from app.propose_cli import load_schema, load_destination, propose_files
from pathlib import Path
propose_files(Path(sys.argv[1]), "zoho_crm")
cold, cold_cpu = time.time() - float(sys.argv[3]), time.process_time()
from app.domain.matching.proposal import answer, propose_tables
start, used = time.perf_counter(), time.process_time()
made = answer(propose_tables(load_schema(Path(sys.argv[2])), load_destination("zoho_crm")))
print(json.dumps({
    "cold": cold, "cold_cpu": cold_cpu, "proposal": time.perf_counter() - start,
    "proposal_cpu": time.process_time() - used, "fields": sum(len(one["fields"]) for one in made["objects"]),
    "memory": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
    "modules": sorted(sys.modules),
}))
"""


def large_schema() -> dict:
    """About 400 fields of a company's CRM under names that are no system's."""
    seen, objects, count = set(), [], 0
    for task in own_tasks():
        if task.destination != "zoho_crm" or count >= FIELDS or task.kind in seen:
            continue
        seen.add(task.kind)
        columns = task.source.columns[: FIELDS - count]
        count += len(columns)
        fields = [{"name": f"x_{one.name}", "label": one.label, "type": one.type and one.type.value} for one in columns]
        objects.append({"name": f"our_{task.source.name}", "fields": fields})
    return {"platform": "unheard of", "objects": objects}


def measure(times: int = 3) -> dict:
    """The best of some fresh processes: seconds of the cold start and for the large schema, by the clock and by the
    processor (what counts on a busy machine), MiB at most, and the heavy modules that came in."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.json"), Path(folder, "large.json")
        small.write_text(json.dumps(SMALL))
        large.write_text(json.dumps(large_schema()))
        found = []
        for _ in range(times):
            command = [sys.executable, "-c", _CHILD, str(small), str(large), str(time.time())]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
            found.append(json.loads(done.stdout))
    best = {key: min(one[key] for one in found) for key in ("cold", "cold_cpu", "proposal", "proposal_cpu")}
    best |= {"fields": found[0]["fields"], "memory": max(one["memory"] for one in found)}
    return best | {"heavy": sorted({*HEAVY} & {name.partition(".")[0] for name in found[0]["modules"]})}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
