"""A faithful local stand-in of the Freshsales REST API; it shares no code with the connector it checks."""

from connectors.freshsales.sandbox.app import create_app

__all__ = ["create_app"]
