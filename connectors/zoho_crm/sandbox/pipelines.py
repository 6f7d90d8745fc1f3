"""Endpoints of deal pipelines (Zoho fact sheet section 9)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import (
    ItemProblem,
    Json,
    Refusal,
    batch_reply,
    invalid,
    missing_param,
    reply,
    success,
)
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.schema import Option, Pipeline
from connectors.zoho_crm.sandbox.values import as_id


def _check_layout(crm: Crm, request: Request) -> None:
    text = request.query_params.get("layout_id")
    if not text:
        raise missing_param("layout_id")
    if as_id(text) != crm.schema.modules["Deals"].layout.id:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"param_name": "layout_id"})


def _stages(crm: Crm) -> dict[int, Option]:
    return {option.id: option for option in crm.schema.modules["Deals"].fields["Stage"].options}


def _shown(crm: Crm, pipeline: Pipeline) -> Json:
    stages = _stages(crm)
    maps = []
    for number, (stage_id, display) in enumerate(pipeline.stages):
        stage = stages[stage_id]
        maps.append({
            "id": str(stage_id), "display_value": display, "actual_value": stage.actual, "sequence_number": number + 1,
            "forecast_type": stage.forecast, "forecast_category": _category(stage), "colour_code": None,
        })  # fmt: skip
    return {
        "id": str(pipeline.id), "display_value": pipeline.name, "actual_value": pipeline.name,
        "default": pipeline.default, "maps": maps,
    }  # fmt: skip


def _category(stage: Option) -> Json:
    names = {"Open": "Pipeline", "Closed Won": "Closed", "Closed Lost": "Omitted"}
    return {"name": names.get(stage.forecast or "Open"), "id": str(stage.id + 1)}


async def list_pipelines(crm: Crm, request: Request) -> Response:
    """GET /settings/pipeline?layout_id= and /settings/pipeline/{id}?layout_id=."""
    _check_layout(crm, request)
    wanted = request.path_params.get("id")
    found = [_shown(crm, p) for p in crm.schema.pipelines.values() if wanted in (None, str(p.id))]
    return reply(200, {"pipeline": found}) if found else reply(204)


def _single(request: Request) -> Json:
    items = json_object(request.scope).get("pipeline")
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "pipeline", "maximum_length": 1})
    item: Json = items[0]
    return item


def _mapped(crm: Crm, maps: Any, path: str) -> list[tuple[int, str]]:
    """Stages of a pipeline in sequence; each must be an option of `Stage` already."""
    if not isinstance(maps, list) or not maps:
        details = {"api_name": "maps", "json_path": f"{path}.maps"}
        raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
    stages = _stages(crm)
    ordered = []
    for number, entry in enumerate(maps):
        stage = stages.get(as_id(entry.get("id")) or 0) if isinstance(entry, dict) else None
        if stage is None:
            raise invalid("id", f"{path}.maps[{number}].id", message="the id given seems to be invalid")
        place = entry.get("sequence_number", number + 1)
        ordered.append(
            (place if isinstance(place, int) else number, stage.id, str(entry.get("display_value") or stage.display))
        )
    return [(stage_id, display) for _, stage_id, display in sorted(ordered)]


async def create_pipeline(crm: Crm, request: Request) -> Response:
    """POST /settings/pipeline?layout_id=: one per call."""
    _check_layout(crm, request)
    item = _single(request)
    try:
        name = item.get("display_value")
        if not isinstance(name, str) or not 0 < len(name) <= 120:
            raise invalid("display_value", "$.pipeline[0].display_value", maximum_length=120)
        if any(p.name.lower() == name.lower() for p in crm.schema.pipelines.values()):
            details = {"api_name": "display_value", "json_path": "$.pipeline[0].display_value"}
            raise ItemProblem("DUPLICATE_DATA", "duplicate data", details)
        pipeline = Pipeline(
            crm.store.next_id(), name, item.get("default") is True, _mapped(crm, item.get("maps"), "$.pipeline[0]")
        )
    except ItemProblem as refused:
        return reply(400, {"pipeline": [refused.body()]})
    with crm.store.transaction():
        _keep(crm, pipeline)
    return reply(201, {"pipeline": [success("Pipeline created", {"id": str(pipeline.id)})]})


def _keep(crm: Crm, pipeline: Pipeline) -> None:
    """Saves a pipeline; only one is the default, and its name is an option of the deals' field `Pipeline`."""
    if pipeline.default:
        for other in crm.schema.pipelines.values():
            if other.id != pipeline.id and other.default:
                other.default = False
                crm.schema.save_pipeline(other)
    crm.schema.save_pipeline(pipeline)
    deals = crm.schema.modules["Deals"]
    if deals.fields["Pipeline"].option(pipeline.name) is None:
        deals.fields["Pipeline"].options.append(crm.schema.new_option(pipeline.name))
    crm.schema.save(deals)


async def update_pipeline(crm: Crm, request: Request) -> Response:
    """PUT or PATCH /settings/pipeline[/{id}]: name, default and stages; `_delete` removes stage or pipeline."""
    _check_layout(crm, request)
    item = _single(request)
    wanted = as_id(request.path_params.get("id") or item.get("id")) or 0
    pipeline = crm.schema.pipelines.get(wanted)
    try:
        if pipeline is None:
            raise invalid("id", "$.pipeline[0].id", message="the id given seems to be invalid")
        with crm.store.transaction():
            if "_delete" in item:
                _drop(crm, pipeline)
            else:
                _change(crm, pipeline, item)
    except ItemProblem as refused:
        return reply(400, {"pipeline": [refused.body()]})
    return batch_reply("pipeline", [success("Pipeline updated", {"id": str(pipeline.id)})])


def _change(crm: Crm, pipeline: Pipeline, item: Json) -> None:
    maps = item.get("maps")
    if isinstance(maps, list):
        gone = {as_id(entry.get("id")) for entry in maps if isinstance(entry, dict) and "_delete" in entry}
        given = [entry for entry in maps if not (isinstance(entry, dict) and "_delete" in entry)]
        named = _mapped(crm, given, "$.pipeline[0]") if given else []
        fresh = {stage_id for stage_id, _ in named}
        kept = [stage for stage in pipeline.stages if stage[0] not in gone | fresh]
        pipeline.stages = [*kept, *named]
    name = item.get("display_value")
    if isinstance(name, str) and name and name != pipeline.name:
        option = crm.schema.modules["Deals"].fields["Pipeline"].option(pipeline.name)
        if option is not None:
            option.display = option.actual = name
        crm.store.run(
            "UPDATE records SET data = json_set(data, '$.Pipeline', ?) WHERE module = 'Deals' "
            "AND json_extract(data, '$.Pipeline') = ?",
            (name, pipeline.name),
        )
        pipeline.name = name
    if item.get("default") is True:
        pipeline.default = True
    _keep(crm, pipeline)


def _drop(crm: Crm, pipeline: Pipeline) -> None:
    """A pipeline with deals, and the default one, stay."""
    used = crm.store.one(
        "SELECT 1 FROM records WHERE module = 'Deals' AND json_extract(data, '$.Pipeline') = ? LIMIT 1",
        (pipeline.name,),
    )
    if used is not None or pipeline.default:
        raise ItemProblem("NOT_ALLOWED", "the pipeline is in use", {"id": str(pipeline.id)})
    crm.schema.drop_pipeline(pipeline.id)
    deals = crm.schema.modules["Deals"]
    deals.fields["Pipeline"].options = [o for o in deals.fields["Pipeline"].options if o.actual != pipeline.name]
    crm.schema.save(deals)


async def transfer(crm: Crm, request: Request) -> Response:
    """POST /settings/pipeline/actions/transfer: moves the deals of one pipeline to another and removes the first."""
    _check_layout(crm, request)
    items = json_object(request.scope).get("transfer_pipeline")
    item = items[0] if isinstance(items, list) and len(items) == 1 and isinstance(items[0], dict) else {}
    ends = item.get("pipeline") if isinstance(item.get("pipeline"), dict) else {}
    assert isinstance(ends, dict)
    source, target = (crm.schema.pipelines.get(as_id(ends.get(key)) or 0) for key in ("from", "to"))
    if source is None or target is None or source is target:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"api_name": "pipeline"})
    stages = _stages(crm)
    with crm.store.transaction():
        for pair in item.get("stages") or []:
            before, after = (stages.get(as_id(pair.get(key)) or 0) for key in ("from", "to"))
            if before is None or after is None:
                raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"api_name": "stages"})
            crm.store.run(
                "UPDATE records SET data = json_set(data, '$.Stage', ?) WHERE module = 'Deals' AND "
                "json_extract(data, '$.Pipeline') = ? AND json_extract(data, '$.Stage') = ?",
                (after.actual, source.name, before.actual),
            )
        crm.store.run(
            "UPDATE records SET data = json_set(data, '$.Pipeline', ?) WHERE module = 'Deals' AND "
            "json_extract(data, '$.Pipeline') = ?",
            (target.name, source.name),
        )
        source.default = False
        _drop(crm, source)
    return batch_reply("transfer_pipeline", [success("Pipeline transferred", {"id": str(target.id)})])
