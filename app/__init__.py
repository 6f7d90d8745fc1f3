"""Tranship: moves a company from one CRM to another."""
