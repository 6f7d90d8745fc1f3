"""RSoft CRM: read from the CSV files that it exports."""

from connectors.rsoft.manifest import PLATFORM

__all__ = ["PLATFORM"]
