"""OctopusPro, a field-service platform without a public API: read from the export of its support."""

from connectors.octopuspro.manifest import PLATFORM

__all__ = ["PLATFORM"]
