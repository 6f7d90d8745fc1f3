"""Routes of keys and access tokens."""

from datetime import timedelta

from fastapi import APIRouter, Response

from app.dependencies import CallerDep, IdempotencyDep, PagingDep, RuntimeDep, SessionDep, require
from app.errors import IdempotencyKeyMissing, IdempotencyKeyReused, RequestInFlight
from app.identifiers import ApiKeyId
from app.keys import service, token_routes
from app.keys.schemas import CreateKey, Key, NewKey, RotateKey, SigningKey
from app.keys.views import show, show_signing_key
from app.paging import Page
from app.problems import responses
from app.routing import api_router

keys = api_router("", "keys")
REPEATABLE = (IdempotencyKeyMissing, RequestInFlight, IdempotencyKeyReused)


@keys.get(
    "/signing_key",
    operation_id="get_signing_key",
    summary="Get the key that checks signed documents",
    dependencies=[require("runs:read")],
)
async def get_signing_key(runtime: RuntimeDep) -> SigningKey:
    """Documents such as a reconciliation are signed with its private half; `tranship verify` checks them offline."""
    return show_signing_key(runtime)


@keys.post(
    "/keys",
    operation_id="create_key",
    summary="Create an API key",
    status_code=201,
    dependencies=[require("keys:write")],
    responses=responses(*REPEATABLE),
)
async def create_key(
    body: CreateKey, caller: CallerDep, session: SessionDep, runtime: RuntimeDep, _: IdempotencyDep
) -> NewKey:
    """The answer holds the key itself, this once."""
    row, secret = await service.create_key(
        runtime,
        session,
        caller,
        name=body.name,
        role=body.role,
        scopes=[*body.scopes],
        expires_at=body.expires_at,
    )
    return NewKey(**show(row).model_dump(), key=secret)


@keys.get("/keys", operation_id="list_keys", summary="List API keys", dependencies=[require("keys:write")])
async def list_keys(caller: CallerDep, session: SessionDep, paging: PagingDep) -> Page[Key]:
    return (await service.list_keys(session, caller, paging)).page(show)


@keys.post(
    "/keys/{key_id}/rotate",
    operation_id="rotate_key",
    summary="Replace a key, with an overlap",
    status_code=201,
    dependencies=[require("keys:write")],
    responses=responses(*REPEATABLE, service.KeyNotLive),
)
async def rotate_key(
    key_id: ApiKeyId, body: RotateKey, caller: CallerDep, session: SessionDep, runtime: RuntimeDep, _: IdempotencyDep
) -> NewKey:
    overlap = timedelta(hours=body.overlap_hours)
    row, secret = await service.rotate_key(runtime, session, caller, key_id, overlap=overlap)
    return NewKey(**show(row).model_dump(), key=secret)


@keys.delete(
    "/keys/{key_id}",
    operation_id="revoke_key",
    summary="Revoke a key at once",
    status_code=204,
    response_class=Response,
    dependencies=[require("keys:write")],
    responses=responses(service.KeyInUse),
)
async def revoke_key(key_id: ApiKeyId, caller: CallerDep, session: SessionDep, runtime: RuntimeDep) -> None:
    await service.revoke_key(runtime, session, caller, key_id)


router = APIRouter()
router.include_router(keys)
router.include_router(token_routes.router)
