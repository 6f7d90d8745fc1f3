"""Upsert and asynchronous bulk upsert with their jobs (Freshsales fact sheet section 10).

A job takes `job_seconds` by the sandbox's clock; due jobs are carried out before the next request is looked at, so a
clock that tests move decides what is in flight.
"""

import logging
from typing import Any

import orjson

from connectors.freshsales.sandbox.answers import Json, Refusal, bad, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.schema import Module
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.unlucky import refuse_unlucky
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.writer import Writer

BULK_ROWS = 100
JOB_TYPE = "BulkUpsertJob"
# Keys that the documented bodies name (section 10); any field that is unique in the account works as well.
_DOCUMENTED = {"contact": ("emails",), "sales_account": ("name",), "deal": ("name",), "lead": ("emails",)}

_log = logging.getLogger(__name__)


def find_by(crm: Crm, module: Module, name: str, value: Any, *, bulk: bool = False) -> Row | None:
    """The record that an identifier names, None when there is none yet.

    400 for a field that is not unique in this account; a bulk row may also use the documented key of its module,
    where the first of several wins.
    """
    if name == "id":
        key = as_id(value)
        found = crm.store.live(module.name, [key]) if key is not None else []
        if not found:
            raise Refusal(404, "not found")
        return found[0]
    if name == "email" and crm.options.upsert_email_key == "both":
        name = "emails"
    field = module.fields.get(name)
    documented = bulk and name in _DOCUMENTED.get(module.name, ())
    if field is None or not (field.unique or documented):
        raise bad("Please provide a unique field as unique_identifier")
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise wrong_type(name)
    ids = crm.store.by_key(module.name, name, str(value).strip().lower())
    return crm.store.live(module.name, ids[:1])[0] if ids else None


def upsert_row(crm: Crm, module: Module, name: str, value: Any, data: Json, *, bulk: bool = False) -> tuple[Row, bool]:
    """Changes the record that has the key, or makes one that carries it; True when it was made (section 10)."""
    found = find_by(crm, module, name, value, bulk=bulk)
    refuse_unlucky(crm, module.name, {name: value, **data}, None if found is None else found.data)
    if found is not None:
        return Writer(crm, module).update(found, data), False
    name = "emails" if name == "email" else name
    if name.startswith("cf_"):
        inner = {**(data.get("custom_field") or {}), name: value}
        return Writer(crm, module).create({**data, "custom_field": inner}), True
    return Writer(crm, module).create({name: value, **data}), True


def start_job(crm: Crm, module: Module, body: Json) -> int:
    """Accepts a bulk upsert; 405 while ten jobs are in flight, 400 for more than 100 rows. Answers the job's id."""
    rows = body.get(module.plural)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise wrong_type(module.plural)
    if not rows:
        raise bad(f"{module.plural} can't be empty")
    if len(rows) > BULK_ROWS:
        raise bad(f"Max of {BULK_ROWS} records are allowed")
    running = len(crm.jobs)
    if running >= crm.options.jobs_in_flight:
        raise Refusal(405, f"Max of {crm.options.jobs_in_flight} transactions are allowed at a time")
    crm.stats.most_jobs = max(crm.stats.most_jobs, running + 1)
    key = crm.store.next_id()
    job: Json = {
        "id": key, "module": module.name, "rows": rows, "created": crm.now(), "due": crm.seconds() + _length(crm),
        "status": "IN_PROGRESS", "finished": None, "data": None,
    }  # fmt: skip
    with crm.store.transaction():
        crm.store.save_document("job", key, job)
    crm.jobs[key] = job["due"]
    return key


def _length(crm: Crm) -> float:
    return crm.faults.values.get("job_seconds", crm.options.job_seconds)


def settle_jobs(crm: Crm) -> None:
    """Carries out the jobs whose time has come; each row stands or falls alone."""
    now = crm.seconds()
    for key in [key for key, due in crm.jobs.items() if due <= now]:
        del crm.jobs[key]
        job = crm.store.document("job", key)
        assert job is not None
        _carry_out(crm, job)


def _carry_out(crm: Crm, job: Json) -> None:
    module, failures, done = crm.schema.modules[job["module"]], [], 0
    for number, row in enumerate(job["rows"]):
        try:
            if crm.faults.draw("reject_row"):
                raise bad("Record could not be saved")
            with crm.store.transaction():
                _bulk_row(crm, module, row)
            done += 1
        except Refusal as refusal:
            key = {name: value for name, value in row.items() if name != "data"}
            failures.append({"row": number, "identifier": key, "errors": refusal.errors()})
    report = {"record_status": {"succeeded": done, "failed": len(failures)}, "detailed_failure_report": failures}
    job |= {"status": "SUCCESS", "finished": crm.now(), "data": orjson.dumps(report).decode(), "rows": []}
    with crm.store.transaction():
        crm.store.drop_document("job", job["id"])
        crm.store.save_document("finished_job", job["id"], job)
    _log.debug("bulk job %s: %s done, %s failed", job["id"], done, len(failures))


def _bulk_row(crm: Crm, module: Module, row: Json) -> None:
    data = row.get("data")
    keys = [name for name in row if name != "data"]
    if not isinstance(data, dict) or len(keys) != 1:
        raise bad("Please provide a unique field and data")
    upsert_row(crm, module, keys[0], row[keys[0]], data, bulk=True)


def job_status(crm: Crm, key: int) -> Json | None:
    """`data` is a JSON text; created ids are not part of it (section 10). None for an unknown job."""
    job = crm.store.document("job", key) or crm.store.document("finished_job", key)
    if job is None:
        return None
    finished = job["status"] == "SUCCESS"
    return {
        "id": str(job["id"]), "status": job["status"], "progress": 100 if finished else 0,
        "job_type_name": JOB_TYPE, "created_at": crm.when(job["created"]),
        "status_updated_at": crm.when(job["finished"] or job["created"]), "data": job["data"],
    }  # fmt: skip
