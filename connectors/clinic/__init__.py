"""Clinic management software: read from the tables and papers that it exports."""

from connectors.clinic.manifest import PLATFORM

__all__ = ["PLATFORM"]
