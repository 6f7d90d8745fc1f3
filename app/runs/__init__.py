"""Runs: their API, and the one engine that carries out every kind of them."""
