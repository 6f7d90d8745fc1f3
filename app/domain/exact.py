"""Models that take JSON at its word: no number for a boolean, no text and no boolean for a number."""

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.domain.schema import Frozen

_NUMBERS = {"int": "whole number", "float": "number"}
_PARTS = frozenset(
    {"schema", "choices", "items_schema", "keys_schema", "values_schema", "lax_schema", "strict_schema", "definitions"}
)
"""Where core schemas keep those of their parts; `fields` holds them by name."""


def _exact(node: Any) -> Any:
    """The core schema with every boolean strict and every number guarded."""
    if isinstance(node, list | tuple):
        return type(node)(_exact(each) for each in node)
    if not isinstance(node, dict):
        return node
    kind = str(node.get("type"))
    if kind == "bool":
        return {**node, "strict": True}
    if kind in _NUMBERS:
        guarded: Any = node
        return core_schema.no_info_before_validator_function(_guard(_NUMBERS[kind]), guarded)
    found = {name: _exact(part) if name in _PARTS else part for name, part in node.items()}
    if isinstance(node.get("fields"), dict):
        found["fields"] = {name: _exact(part) for name, part in node["fields"].items()}
    return found


def _guard(wanted: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if isinstance(value, bool | str):
            raise PydanticCustomError("not_a_number", "Give a {wanted}, without quotes", {"wanted": wanted})
        return value

    return check


class ExactJson:
    """A mixin of models that callers fill."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: CoreSchema = _exact(handler(source))
        return schema


class Exact(ExactJson, Frozen):
    """A part of a document that people write."""
