"""Rules of single modules that go beyond one field: stages and pipelines, activities, full names, forecasts."""

from typing import Any

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, invalid
from connectors.zoho_crm.sandbox.catalogue import ACTIVITY_MODULES
from connectors.zoho_crm.sandbox.schema import Pipeline
from connectors.zoho_crm.sandbox.values import Batch, duration_fits


def check_item(batch: Batch, given: Json, merged: Json, path: str, *, creating: bool) -> None:
    """Cross-field rules over `merged` (what the record will hold); `given` is what this request sets."""
    name = batch.module.api_name
    if name == "Deals":
        _deal(batch, given, merged, path, creating=creating)
    elif name == "Notes":
        _note(batch, given, merged, path, creating=creating)
    elif name in ACTIVITY_MODULES:
        _related(batch, given, merged, path)
        if name == "Events":
            _event(merged, path)
        if name == "Calls":
            _call(merged, path)


def derive(batch: Batch, merged: Json) -> None:
    """Fills what Zoho computes: full names, expected revenue."""
    name = batch.module.api_name
    if name in ("Leads", "Contacts"):
        merged["Full_Name"] = " ".join(part for part in (merged.get("First_Name"), merged.get("Last_Name")) if part)
    if name == "Deals":
        amount, probability = merged.get("Amount"), merged.get("Probability")
        if amount is not None and probability is not None:
            merged["Expected_Revenue"] = round(amount * probability / 100, 2)


def pipeline_named(batch: Batch, name: Any) -> Pipeline | None:
    return next((p for p in batch.crm.schema.pipelines.values() if p.name == name), None)


def _deal(batch: Batch, given: Json, merged: Json, path: str, *, creating: bool) -> None:
    """The stage belongs to the pipeline; the pipeline is mandatory where pipelines are on (fact sheet section 9)."""
    if "Stage" not in given and "Pipeline" not in given:
        return
    if creating and batch.crm.options.pipelines_enabled and not merged.get("Pipeline"):
        details = {"api_name": "Pipeline", "json_path": f"{path}.Pipeline"}
        raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
    stage = batch.module.fields["Stage"].option(merged.get("Stage") or "")
    pipeline = pipeline_named(batch, merged.get("Pipeline"))
    if stage is not None and pipeline is not None and stage.id not in {item for item, _ in pipeline.stages}:
        dependee = {"api_name": "Pipeline", "json_path": f"{path}.Pipeline"}
        mismatch = {"api_name": "Stage", "json_path": f"{path}.Stage", "mapped_field": dependee}
        raise ItemProblem(batch.crm.options.stage_error, "the stage does not belong to the pipeline", mismatch)
    if stage is not None and "Stage" in given and "Probability" not in given and stage.probability is not None:
        merged["Probability"] = stage.probability


def _related(batch: Batch, given: Json, merged: Json, path: str) -> None:
    """`What_Id` needs `$se_module` beside it, and the record must live there (Zoho fact sheet section 16)."""
    if given.get("What_Id") is None:
        if "What_Id" in given:
            merged.pop("$se_module", None)
        return
    module = given.get("$se_module")
    if not isinstance(module, str):
        dependee = {"api_name": "What_Id", "json_path": f"{path}.What_Id"}
        details = {"dependee": dependee, "api_name": "$se_module", "json_path": f"{path}.$se_module"}
        raise ItemProblem("DEPENDENT_FIELD_MISSING", "dependent field missing", details)
    found = batch.known.get(int(merged["What_Id"]))
    if found is None or found[0] != module:
        raise invalid("What_Id", f"{path}.What_Id", message="the id given seems to be invalid", id=merged["What_Id"])
    merged["$se_module"] = module


def _note(batch: Batch, given: Json, merged: Json, path: str, *, creating: bool) -> None:
    """A title or a content, and a parent in the module that is named (Zoho fact sheet section 16)."""
    if not merged.get("Note_Title") and not merged.get("Note_Content"):
        expected = [{"api_name": n, "json_path": f"{path}.{n}"} for n in ("Note_Title", "Note_Content")]
        raise ItemProblem("EXPECTED_FIELD_MISSING", "Specify atleast one field", {"expected_fields": expected})
    if not creating:
        return
    if not merged.get("Parent_Id"):
        details = {"api_name": "Parent_Id", "json_path": f"{path}.Parent_Id"}
        raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
    module = given["$parent_module"]
    if batch.known[int(merged["Parent_Id"])][0] != module:
        raise invalid("Parent_Id", f"{path}.Parent_Id", message="the id given seems to be invalid")


def _event(merged: Json, path: str) -> None:
    start, end = merged.get("Start_DateTime"), merged.get("End_DateTime")
    if start and end and end < start:
        dependee = {"api_name": "Start_DateTime", "json_path": f"{path}.Start_DateTime"}
        details = {"dependee": dependee, "api_name": "End_DateTime", "json_path": f"{path}.End_DateTime"}
        raise ItemProblem("DEPENDENT_MISMATCH", "the end lies before the start", details)


def _call(merged: Json, path: str) -> None:
    """Duration is `HH:mm` and not zero for inbound and outbound calls (Zoho fact sheet section 16)."""
    duration = merged.get("Call_Duration")
    if duration is None:
        return
    if not duration_fits(duration):
        raise invalid("Call_Duration", f"{path}.Call_Duration", expected_data_type="HH:mm")
    hours, minutes = duration.split(":")
    merged["Call_Duration_in_seconds"] = int(hours) * 3600 + int(minutes) * 60
    scheduled = merged.get("Outbound_Call_Status") == "Scheduled"
    if merged["Call_Duration_in_seconds"] == 0 and merged.get("Call_Type") in ("Inbound", "Outbound") and not scheduled:
        dependee = {"api_name": "Call_Type", "json_path": f"{path}.Call_Type"}
        details = {"dependee": dependee, "api_name": "Call_Duration", "json_path": f"{path}.Call_Duration"}
        raise ItemProblem("DEPENDENT_MISMATCH", "the call duration must not be zero", details)
