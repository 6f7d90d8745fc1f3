"""API keys and access tokens."""
