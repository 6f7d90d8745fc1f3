"""The router of this slice: engagements with their connections, and their papers."""

from fastapi import APIRouter

from app.engagements import papers_routes, routes

router = APIRouter()
router.include_router(routes.router)
router.include_router(papers_routes.router)
