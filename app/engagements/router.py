"""The router of this slice: engagements with their connections, uploaded files and papers."""

from fastapi import APIRouter

from app.engagements import papers_routes, routes, upload_routes

router = APIRouter()
router.include_router(routes.router)
router.include_router(papers_routes.router)
router.include_router(upload_routes.router)
