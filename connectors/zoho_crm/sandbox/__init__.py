"""A faithful local stand-in of the Zoho CRM v8 API; it shares no code with the connector it checks."""

from connectors.zoho_crm.sandbox.app import create_app

__all__ = ["create_app"]
