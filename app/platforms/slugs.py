"""Platform slugs as callers may send them: the API's description lists those that the registry knows."""

from typing import Annotated

from pydantic import Field

from connectors.registry import PLATFORMS

_SOURCES = sorted(slug for slug, platform in PLATFORMS.items() if platform.source is not None)
_DESTINATIONS = sorted(slug for slug, platform in PLATFORMS.items() if platform.destination is not None)

# An unknown slug passes here: the pair's problem says more about it than a schema could.
SourceSlug = Annotated[
    str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9_]+$", json_schema_extra={"enum": [*_SOURCES]})
]
DestinationSlug = Annotated[
    str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9_]+$", json_schema_extra={"enum": [*_DESTINATIONS]})
]
