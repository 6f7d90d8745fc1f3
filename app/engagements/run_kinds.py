"""The kinds of runs, and which of them need or do what: one place for gates, plans and the road."""

from typing import Literal, get_args

Kind = Literal[
    "discovery",
    "preflight",
    "provision",
    "sample",
    "full",
    "delta",
    "reconcile",
    "repair",
    "replay",
    "rollback",
    "reassign_owners",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAPPED = frozenset({"provision", "sample", "full", "delta", "reconcile", "repair", "replay", "reassign_owners"})
"""They follow the confirmed mapping."""
OWNED = frozenset({"sample", "full", "delta", "replay", "reassign_owners"})
"""They give records their owners."""
PROVISIONED = frozenset({"sample", "full", "delta", "replay"})
"""They need the destination's schema to be complete."""
WRITING = frozenset({"provision", "sample", "full", "delta", "repair", "replay", "rollback", "reassign_owners"})
"""They change the destination, so one of them at a time."""
SENDING = frozenset({"sample", "full", "delta", "repair", "replay"})
"""They send the company's values to the destination."""
