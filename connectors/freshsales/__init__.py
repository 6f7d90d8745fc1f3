"""Freshsales (Freshworks CRM): a destination by its REST API."""

from connectors.freshsales.manifest import PLATFORM

__all__ = ["PLATFORM"]
