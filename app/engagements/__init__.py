"""Engagements: one company's move, its connections, people, files and the road it walks."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`ROUTERS`, on demand: the engine uses this package too and has no business with HTTP."""
    if name == "ROUTERS":
        from app.engagements.routers import ROUTERS

        return ROUTERS
    raise AttributeError(name)
