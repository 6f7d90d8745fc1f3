"""ServiceTracker: a Salesforce-shaped source."""

from connectors.servicetracker.manifest import PLATFORM

__all__ = ["PLATFORM"]
