"""Freshsales (Freshworks CRM): a destination of migrations and the local stand-in of its API."""
