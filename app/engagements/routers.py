"""The routers of this slice."""

from app.engagements import papers_router, router

ROUTERS = (router.router, papers_router.router)
