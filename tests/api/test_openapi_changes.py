"""The check for breaking changes finds what would break a client, and lets additions pass."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from app.openapi_changes import breaking_changes, major

Document = dict[str, Any]


def document() -> Document:
    return {
        "info": {"version": "1.4.0"},
        "paths": {
            "/v1/things": {
                "post": {
                    "operationId": "create_thing",
                    "x-required-scope": "things:write",
                    "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                    "responses": {
                        "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
                    },
                }
            }
        },
        "webhooks": {"thing.made": {}},
        "components": {
            "schemas": {
                "New": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "maxLength": 50},
                        "kind": {"type": "string", "enum": ["a", "b"]},
                        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                        "part": {"anyOf": [{"$ref": "#/components/schemas/Part"}, {"type": "null"}]},
                        "flags": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                },
                "Part": {"type": "object", "properties": {"size": {"type": "integer"}}},
                "Thing": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": {"type": "string"},
                        "count": {"type": "integer"},
                        "parts": {"type": "array", "items": {"type": "string"}},
                    },
                },
            }
        },
    }


def _at(found: Document, path: str) -> Document:
    for name in path.split("|"):
        found = found[name]
    return found


POST = "paths|/v1/things|post"
NEW, PART, THING = "components|schemas|New", "components|schemas|Part", "components|schemas|Thing"
BREAKING: dict[str, Callable[[Document], Any]] = {
    "is gone": lambda d: d["paths"].clear(),
    "is named": lambda d: _at(d, POST).update(operationId="make_thing"),
    "asks for the scope": lambda d: _at(d, POST).update({"x-required-scope": "other"}),
    "parameter limit is gone": lambda d: _at(d, POST)["parameters"].clear(),
    "limit: maximum is 50 now": lambda d: _at(d, POST)["parameters"][0]["schema"].update(maximum=50),
    "parameter day is required now": lambda d: _at(d, POST)["parameters"].append(
        {"in": "query", "name": "day", "required": True, "schema": {}}
    ),
    "a body is required now": lambda d: _at(d, POST)["requestBody"].update(required=True),
    "name: maxLength is 40 now": lambda d: _at(d, NEW)["properties"]["name"].update(maxLength=40),
    "'b' is not taken any more": lambda d: _at(d, NEW)["properties"]["kind"].update(enum=["a"]),
    "kind is required now": lambda d: _at(d, NEW)["required"].append("kind"),
    "kind is not taken any more": lambda d: _at(d, NEW)["properties"].pop("kind"),
    "name: it is integer instead of string": lambda d: _at(d, NEW)["properties"]["name"].update(type="integer"),
    "id is gone": lambda d: _at(d, THING)["properties"].pop("id"),
    "id may be missing now": lambda d: _at(d, THING)["required"].clear(),
    "parts[]: it is integer": lambda d: _at(d, THING)["properties"]["parts"]["items"].update(type="integer"),
    "body.note: it is string instead of null": lambda d: _at(d, NEW)["properties"].update(note={"type": "string"}),
    "body.part: it is string instead of object": lambda d: _at(d, NEW)["properties"].update(part={"type": "string"}),
    "body.part.size: maximum is 5 now": lambda d: _at(d, PART)["properties"]["size"].update(maximum=5),
    "body.part: it takes no further members now": lambda d: _at(d, PART).update(additionalProperties=False),
    "body.flags.*: it is integer instead of string": lambda d: _at(d, NEW)["properties"]["flags"].update(
        additionalProperties={"type": "integer"}
    ),
    "body.name: only 'x' is taken now": lambda d: _at(d, NEW)["properties"]["name"].update(enum=["x"]),
    "body.name: it has to match date now": lambda d: _at(d, NEW)["properties"]["name"].update(format="date"),
    "201.id: it is null instead of string": lambda d: _at(d, THING)["properties"].update(
        id={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "201.count: it is number instead of integer": lambda d: _at(d, THING)["properties"]["count"].update(type="number"),
    "no key is not enough now": lambda d: _at(d, POST).update(security=[{"bearer": []}]),
    "does not answer 201": lambda d: _at(d, POST)["responses"].clear(),
    "the webhook thing.made is gone": lambda d: d["webhooks"].clear(),
}


@pytest.mark.parametrize("said", BREAKING)
def test_what_breaks_is_named(said: str) -> None:
    after = copy.deepcopy(document())
    BREAKING[said](after)
    assert any(said in each for each in breaking_changes(document(), after))


def test_additions_pass() -> None:
    after = copy.deepcopy(document())
    _at(after, NEW)["properties"]["colour"] = {"type": "string"}
    _at(after, NEW)["properties"]["name"] = {"anyOf": [{"type": "string", "maxLength": 90}, {"type": "null"}]}
    _at(after, PART)["properties"]["size"]["type"] = "number"
    _at(after, THING)["properties"]["colour"] = {"type": "string"}
    _at(after, POST)["parameters"].append({"in": "query", "name": "dry", "schema": {"type": "boolean"}})
    _at(after, POST)["parameters"].append({"in": "query", "name": "day", "schema": {"type": "string"}})
    after["paths"]["/v1/others"] = {"get": {"operationId": "list_others"}}
    after["webhooks"]["other.made"] = {}
    before = document()
    day = {"anyOf": [{"type": "string"}, {"type": "null"}]}  # a parameter is left out, never null
    _at(before, POST)["parameters"].append({"in": "query", "name": "day", "schema": day})
    assert breaking_changes(before, after) == []
    assert breaking_changes(after, after) == []


def test_only_the_major_version_moves_for_a_break() -> None:
    assert (major(document()), major({"info": {"version": "2.0.0"}})) == ("1", "2")
