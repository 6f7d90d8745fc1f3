"""Whether one OpenAPI document still serves the clients of another: what was taken away, narrowed or newly demanded.

Pure. A change breaks when a request that was right is refused now, or an answer lacks what clients were promised.
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
_METHODS = ("get", "put", "post", "patch", "delete")
_DEPTH = 12
_UNIONS = ("anyOf", "oneOf")
_PARTS = {"items": "[]", "additionalProperties": ".*"}


def breaking_changes(before: Document, after: Document) -> list[str]:
    """A sentence for each change that breaks clients of `before`, in the order of the document."""
    return [*_operations(before, after), *_webhooks(before, after)]


def major(document: Document) -> str:
    """The part of the version that says which clients it serves."""
    return str(document.get("info", {}).get("version", "")).partition(".")[0]


def _operations(before: Document, after: Document) -> Iterator[str]:
    for path, item in before.get("paths", {}).items():
        for method in _METHODS:
            old, new = item.get(method), after.get("paths", {}).get(path, {}).get(method)
            if old is None:
                continue
            where = f"{method.upper()} {path}"
            if new is None:
                yield f"{where} is gone"
                continue
            if old.get("operationId") != new.get("operationId"):
                yield f"{where} is named {new.get('operationId')} instead of {old.get('operationId')}"
            scopes = old.get("x-required-scope"), new.get("x-required-scope")
            if scopes[0] is not None and scopes[0] != scopes[1]:
                yield f"{where} asks for the scope {scopes[1]} instead of {scopes[0]}"
            yield from _security(where, old, new)
            yield from _parameters(where, old, new, before, after)
            yield from _bodies(where, old, new, before, after)
            yield from _answers(where, old, new, before, after)


def _parameters(where: str, old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    known = {(one["in"], one["name"].lower()): one for one in old.get("parameters", [])}
    offered = {(one["in"], one["name"].lower()): one for one in new.get("parameters", [])}
    for place, one in known.items():
        if place not in offered:
            yield f"{where}: the {place[0]} parameter {one['name']} is gone"
        else:
            schemas = _sent(one.get("schema", {})), _sent(offered[place].get("schema", {}))
            yield from _narrowed(f"{where}: {one['name']}", *schemas, before, after)
    for place, one in offered.items():
        had = known.get(place, {})
        told = had.get("required") or str(had.get("description", "")).startswith("Required.")
        if one.get("required") and not told:
            yield f"{where}: the {place[0]} parameter {one['name']} is required now"


def _sent(schema: Document) -> Document:
    """A parameter's schema without null, which no URL and no header can say."""
    if "anyOf" not in schema:
        return schema
    return {**schema, "anyOf": [one for one in schema["anyOf"] if one.get("type") != "null"]}


def _bodies(where: str, old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    had, has = old.get("requestBody"), new.get("requestBody")
    if has and has.get("required") and not (had and had.get("required")):
        yield f"{where}: a body is required now"
    for kind, content in (had or {}).get("content", {}).items():
        offered = (has or {}).get("content", {}).get(kind)
        if offered is None:
            yield f"{where}: a body of {kind} is not taken any more"
        else:
            yield from _narrowed(f"{where}: body", content.get("schema", {}), offered.get("schema", {}), before, after)


def _answers(where: str, old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    for status, answer in old.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        now = new.get("responses", {}).get(status)
        if now is None:
            yield f"{where}: it does not answer {status} any more"
            continue
        for kind, content in answer.get("content", {}).items():
            offered = now.get("content", {}).get(kind)
            if offered is None:
                yield f"{where}: it does not answer {kind} any more"
            else:
                schemas = content.get("schema", {}), offered.get("schema", {})
                yield from _widened(f"{where}: {status}", *schemas, before, after)


def _webhooks(before: Document, after: Document) -> Iterator[str]:
    for name in before.get("webhooks", {}):
        if name not in after.get("webhooks", {}):
            yield f"the webhook {name} is gone"


def _security(where: str, old: Document, new: Document) -> Iterator[str]:
    """Who could call without a key, or with one of several, and cannot any more."""
    had, has = (sorted(sorted(each) for each in one.get("security", [])) or [[]] for one in (old, new))
    for way in had:
        if way not in has and [] not in has:
            yield f"{where}: {' and '.join(way) or 'no key'} is not enough now"


def _resolved(schema: Document, document: Document) -> Document:
    """The schema behind a reference; of one thing or null, the thing."""
    for _ in range(_DEPTH):
        if name := schema.get("$ref", "").rpartition("/")[2]:
            schema = document.get("components", {}).get("schemas", {}).get(name, {})
            continue
        kinds = [one for one in _variants(schema) if one.get("type") != "null"]
        if len(kinds) != 1:
            break
        schema = {**{name: value for name, value in schema.items() if name not in _UNIONS}, **kinds[0]}
    return schema


def _variants(schema: Document) -> list[Document]:
    return next((schema[name] for name in _UNIONS if name in schema), [])


def _kinds(schema: Document, document: Document, depth: int = 0) -> frozenset[str]:
    """The JSON types that a value may have; empty where nothing is said."""
    if depth > _DEPTH:
        return frozenset()
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return _kinds(document.get("components", {}).get("schemas", {}).get(name, {}), document, depth + 1)
    if variants := _variants(schema):
        found = [_kinds(one, document, depth + 1) for one in variants]
        return frozenset().union(*found) if all(found) else frozenset()
    kinds = schema.get("type", [])
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def _beyond(more: frozenset[str], less: frozenset[str]) -> list[str]:
    """What `more` has and `less` has not; every integer is a number."""
    if not more or not less:
        return []
    return sorted(kind for kind in more - less if not (kind == "integer" and "number" in less))


def _narrowed(
    where: str, old: Document, new: Document, before: Document, after: Document, depth: int = 0
) -> Iterator[str]:
    """What a request may not hold any more."""
    had_kinds, kinds = _kinds(old, before), _kinds(new, after)
    for kind in _beyond(had_kinds, kinds):
        yield f"{where}: it is {' or '.join(sorted(kinds))} instead of {kind}"
    old, new = _resolved(old, before), _resolved(new, after)
    if depth > _DEPTH or (old == new and before is after):
        return
    yield from _limits(where, old, new)
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{where}: {name} is required now"
    closed = new.get("additionalProperties") is False
    if closed and old.get("additionalProperties", True) is not False and "object" in had_kinds:
        yield f"{where}: it takes no further members now"
    had, has = old.get("properties", {}), new.get("properties", {})
    for name, schema in had.items():
        if name in has:
            yield from _narrowed(f"{where}.{name}", schema, has[name], before, after, depth + 1)
        elif closed:
            yield f"{where}: {name} is not taken any more"
    for part, mark in _PARTS.items():
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            yield from _narrowed(f"{where}{mark}", old[part], new[part], before, after, depth + 1)


def _limits(where: str, old: Document, new: Document) -> Iterator[str]:
    """Values that were right and are refused now."""
    for name in ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties"):
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where}: {name} is {new[name]} now"
    for name in ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties"):
        if name in new and new[name] > old.get(name, float("-inf")) and (new[name] > 0 or "inimum" in name):
            yield f"{where}: {name} is {new[name]} now"
    allowed = new.get("enum", [new["const"]] if "const" in new else None)
    if allowed is not None:
        known = old.get("enum", [old["const"]] if "const" in old else None)
        if known is None:
            yield f"{where}: only {', '.join(map(repr, allowed))} is taken now"
        elif gone := [one for one in known if one not in allowed]:
            yield f"{where}: {gone[0]!r} is not taken any more"
    for name in ("pattern", "format"):
        if new.get(name) != old.get(name) and name in new:
            yield f"{where}: it has to match {new[name]} now"


def _widened(
    where: str, old: Document, new: Document, before: Document, after: Document, depth: int = 0
) -> Iterator[str]:
    """What an answer does not promise any more."""
    for kind in _beyond(_kinds(new, after), had_kinds := _kinds(old, before)):
        yield f"{where}: it is {kind} instead of {' or '.join(sorted(had_kinds))}"
    old, new = _resolved(old, before), _resolved(new, after)
    if depth > _DEPTH:
        return
    had, has = old.get("properties", {}), new.get("properties", {})
    for name, schema in had.items():
        if name not in has:
            yield f"{where}: {name} is gone"
        else:
            yield from _widened(f"{where}.{name}", schema, has[name], before, after, depth + 1)
    for name in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        if name in has:
            yield f"{where}: {name} may be missing now"
    for part, mark in _PARTS.items():
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            yield from _widened(f"{where}{mark}", old[part], new[part], before, after, depth + 1)
