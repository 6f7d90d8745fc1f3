"""Public routes of the catalogue: platforms and pairs."""

from typing import Annotated

from fastapi import Path, Query, Response

from app.errors import UnknownPair
from app.paging import Page
from app.platforms import service
from app.platforms.schemas import PairRef, PairView, PlatformView
from app.problems import responses
from app.routing import api_router

router = api_router("", "platforms")
Slug = Annotated[str, Path(max_length=50, examples=["zoho_crm"])]
SlugFilter = Annotated[str | None, Query(max_length=50)]
CACHED = "public, max-age=300"


@router.get("/platforms", operation_id="list_platforms", summary="List platforms")
async def list_platforms(response: Response) -> Page[PlatformView]:
    """All of them, with credentials asked for, limits, editions and capabilities."""
    response.headers["Cache-Control"] = CACHED
    return Page(data=service.list_platforms(), has_more=False, next_cursor=None)


@router.get("/platforms/{slug}", operation_id="get_platform", summary="Get a platform")
async def get_platform(slug: Slug, response: Response) -> PlatformView:
    response.headers["Cache-Control"] = CACHED
    return service.get_platform(slug)


@router.get("/pairs", operation_id="list_pairs", summary="List the pairs that can be moved")
async def list_pairs(response: Response, source: SlugFilter = None, destination: SlugFilter = None) -> Page[PairRef]:
    response.headers["Cache-Control"] = CACHED
    return Page(data=service.list_pairs(source, destination), has_more=False, next_cursor=None)


@router.get(
    "/pairs/{source}/{destination}",
    operation_id="get_pair",
    summary="Get a pair's page",
    responses=responses(UnknownPair),
)
async def get_pair(
    source: Annotated[str, Path(max_length=50, examples=["servicetracker"])],
    destination: Annotated[str, Path(max_length=50, examples=["zoho_crm"])],
    response: Response,
) -> PairView:
    """Objects with compatibility and explanation, traps, steps, grade and neighbours, as the run itself uses them."""
    response.headers["Cache-Control"] = CACHED
    return service.get_pair(source, destination)
