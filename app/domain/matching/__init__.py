"""Finds for each source field the destination field that holds the same thing, with a probability and reasons."""

from app.domain.matching.assign import FieldMatch, match_fields

__all__ = ["FieldMatch", "match_fields"]
