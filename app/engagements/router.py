"""The router of this slice: engagements with their connections, uploaded files, papers and protection."""

from fastapi import APIRouter

from app.engagements import papers_routes, protection_routes, routes, upload_routes

router = APIRouter()
router.include_router(routes.router)
router.include_router(papers_routes.router)
router.include_router(upload_routes.router)
router.include_router(protection_routes.router)
