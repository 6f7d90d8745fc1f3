"""Zoho CRM: a destination by its REST API v8."""

from connectors.zoho_crm.manifest import PLATFORM

__all__ = ["PLATFORM"]
