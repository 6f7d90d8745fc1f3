"""Routes of a tenant's whole audit log: records moved, changes by key, exports, refused access."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from app.audit_export import ANSWERS, Format, exported
from app.dependencies import CallerDep, RuntimeDep, SessionDep, require
from app.routing import api_router
from app.runs.audit import export_audit
from app.runs.audit_proof import prove
from app.runs.schemas import AuditProofView
from app.runs.views import show_proof

router = api_router("/audit", "audit")


@router.get(
    "",
    operation_id="export_tenant_audit",
    summary="Export the tenant's audit log",
    dependencies=[require("audit:read")],
    response_class=StreamingResponse,
    responses=ANSWERS,
)
async def read_tenant_audit(
    caller: CallerDep,
    runtime: RuntimeDep,
    session: SessionDep,  # noqa: ARG001  carries the entry of this export
    format: Format = "ndjson",
) -> StreamingResponse:
    """Every engagement's records and every request that changed, exported or was refused something; never a value.

    A request reads: `source_object` request, `source_id` its id, `target_object` the operation, `part` the method,
    `destination_id` the ids it named or made, `outcome` changed, exported or refused, `owner_id` the key.
    """
    return exported(export_audit(runtime, caller.tenant_id, None, None, as_csv=format == "csv"), format)


@router.get(
    "/proof",
    operation_id="prove_tenant_audit",
    summary="Prove the tenant's audit log",
    dependencies=[require("audit:read")],
)
async def prove_tenant_audit(
    caller: CallerDep,
    runtime: RuntimeDep,
    source_object: Annotated[str | None, Query(max_length=200)] = None,
    source_id: Annotated[str | None, Query(max_length=200)] = None,
) -> AuditProofView:
    """Walks the whole chain of blocks; `request` and a request id find what one request left."""
    record = (source_object, source_id) if source_object and source_id else None
    return show_proof(await prove(lambda: runtime.db.connection(caller.tenant_id), caller.tenant_id, record))
