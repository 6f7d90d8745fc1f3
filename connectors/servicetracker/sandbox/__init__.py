"""A local stand-in of ServiceTracker's Salesforce-shaped API, to rehearse and to test against.

It stands on the fact sheet of the platform alone and imports nothing from the connector, so that each checks the
other.
"""

from connectors.servicetracker.sandbox.app import create_app

__all__ = ["create_app"]
