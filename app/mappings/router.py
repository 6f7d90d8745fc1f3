"""Routes of the mapping."""

from typing import Annotated, Literal

from fastapi import Query, Response

from app.dependencies import CallerDep, IdempotencyDep, IfMatchDep, RuntimeDep, SessionDep, require
from app.domain.ids import encode_id
from app.domain.mapping import MappingDocument
from app.engagements.inventories import destination_inventory, load_inventory
from app.engagements.service import find_engagement
from app.errors import EngagementPurged, MappingInvalid, MappingNotEditable, PreconditionMissing, Stale, StepMissing
from app.etags import require_match
from app.identifiers import EngagementId
from app.mappings import service
from app.mappings.export import to_csv, to_xlsx
from app.mappings.schemas import MappingCheck, MappingConfirm, MappingVerdict, MappingView
from app.mappings.views import show_fault, show_mapping
from app.problems import responses
from app.routing import api_router

router = api_router("/engagements/{engagement_id}/mapping", "mappings")

Version = Annotated[int | None, Query(ge=1, le=2_147_483_647, description="An older version; default: the current.")]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get(
    "",
    operation_id="get_mapping",
    summary="Read the mapping",
    dependencies=[require("mappings:read")],
)
async def get_mapping(
    engagement_id: EngagementId, caller: CallerDep, session: SessionDep, response: Response, version: Version = None
) -> MappingView:
    """The newest draft or confirmed version with its ETag."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    mapping = await service.find_mapping(session, engagement, version)
    response.headers["ETag"] = service.mapping_tag(mapping)
    return show_mapping(mapping)


@router.put(
    "",
    operation_id="put_mapping",
    summary="Edit the mapping",
    dependencies=[require("mappings:write")],
    responses=responses(Stale, PreconditionMissing, MappingInvalid, MappingNotEditable, StepMissing, EngagementPurged),
)
async def put_mapping(
    engagement_id: EngagementId,
    document: MappingDocument,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    if_match: IfMatchDep = None,
) -> MappingView:
    """Replaces the whole document. A confirmed version stays as it is; the edit becomes the next draft."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    current = await service.find_mapping(session, engagement)
    require_match(if_match, service.mapping_tag(current))
    mapping, problems = await service.edit_mapping(runtime, session, engagement, current, document, by=caller.key_id)
    response.headers["ETag"] = service.mapping_tag(mapping)
    return show_mapping(mapping, problems)


@router.post(
    "/propose",
    operation_id="propose_mapping",
    summary="Propose a mapping",
    status_code=201,
    dependencies=[require("mappings:write")],
    responses=responses(StepMissing, EngagementPurged),
)
async def propose_mapping(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    _: IdempotencyDep,
) -> MappingView:
    """A new draft from the pair's blueprint and what discovery found on both sides."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    mapping, problems = await service.propose_mapping(runtime, session, engagement, by=caller.key_id)
    response.headers["Location"] = f"/v1/engagements/{encode_id('engagement', engagement.id)}/mapping"
    response.headers["ETag"] = service.mapping_tag(mapping)
    return show_mapping(mapping, problems)


@router.post(
    "/confirm",
    operation_id="confirm_mapping",
    summary="Confirm the mapping",
    dependencies=[require("mappings:confirm")],
    responses=responses(service.NothingToConfirm, MappingInvalid, StepMissing, EngagementPurged),
)
async def confirm_mapping(
    engagement_id: EngagementId,
    body: MappingConfirm,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    response: Response,
    _: IdempotencyDep,
) -> MappingView:
    """Agrees to a draft. From now on runs may write to a destination; this version never changes again."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id, lock=True)
    mapping, problems = await service.confirm_mapping(runtime, session, engagement, body.version, by=caller.key_id)
    response.headers["ETag"] = service.mapping_tag(mapping)
    return show_mapping(mapping, problems)


@router.post(
    "/validate",
    operation_id="validate_mapping",
    summary="Check a mapping without storing it",
    dependencies=[require("mappings:read")],
    responses=responses(StepMissing, EngagementPurged),
)
async def validate_mapping(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    body: MappingCheck | None = None,
) -> MappingVerdict:
    """Says what is wrong, with a pointer to each place. Stores nothing, so it needs no Idempotency-Key."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    document = body.document if body else None
    if document is None:
        current = await service.find_mapping(session, engagement)
        document = MappingDocument.model_validate(current.document)
    problems = await service.find_problems(document, await service.load_sides(runtime, session, engagement))
    valid = not any(problem.blocking for problem in problems)
    return MappingVerdict(valid=valid, problems=[show_fault(problem) for problem in problems])


@router.get(
    "/export",
    operation_id="export_mapping",
    summary="Download the mapping sheet",
    dependencies=[require("mappings:read")],
    response_class=Response,
    responses={
        200: {
            "description": "The sheet.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                _XLSX: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **responses(StepMissing, EngagementPurged),
    },
)
async def export_mapping(
    engagement_id: EngagementId,
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,
    format: Annotated[Literal["csv", "xlsx"], Query()] = "xlsx",
    version: Version = None,
) -> Response:
    """Every rule with its reasons, transform, defaults and value map, and what stays behind."""
    engagement = await find_engagement(session, caller.tenant_id, engagement_id)
    mapping = await service.find_mapping(session, engagement, version)
    document = MappingDocument.model_validate(mapping.document)
    source = await load_inventory(runtime, session, engagement, "source")
    destination = await destination_inventory(runtime, session, engagement)
    make, media = (to_csv, "text/csv; charset=utf-8") if format == "csv" else (to_xlsx, _XLSX)
    name = f"mapping-v{mapping.version}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(make(document, source, destination), media_type=media, headers=headers)
