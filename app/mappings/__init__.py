"""Mappings: proposal, edits, confirmation and the sheet that people read."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`ROUTERS`, on demand: the engine uses this package too and has no business with HTTP."""
    if name == "ROUTERS":
        from app.mappings.router import ROUTERS

        return ROUTERS
    raise AttributeError(name)
