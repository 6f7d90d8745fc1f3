"""Whether one OpenAPI document still serves the clients of another: what was taken away, narrowed or newly demanded.

Pure. A change breaks when a request that was right is refused now, or an answer lacks what clients were promised.
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
_METHODS = ("get", "put", "post", "patch", "delete")
_DEPTH = 12


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
            schemas = one.get("schema", {}), offered[place].get("schema", {})
            yield from _narrowed(f"{where}: {one['name']}", *schemas, before, after)
    for place, one in offered.items():
        had = known.get(place, {})
        told = had.get("required") or str(had.get("description", "")).startswith("Required.")
        if one.get("required") and not told:
            yield f"{where}: the {place[0]} parameter {one['name']} is required now"


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


def _resolved(schema: Document, document: Document) -> Document:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Document = document.get("components", {}).get("schemas", {}).get(name, {}) if name else schema
    return found


def _narrowed(
    where: str, old: Document, new: Document, before: Document, after: Document, depth: int = 0
) -> Iterator[str]:
    """What a request may not hold any more."""
    old, new = _resolved(old, before), _resolved(new, after)
    if depth > _DEPTH or (old == new and before is after):
        return
    yield from _types(where, old, new)
    yield from _limits(where, old, new)
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{where}: {name} is required now"
    had, has = old.get("properties", {}), new.get("properties", {})
    for name, schema in had.items():
        if name in has:
            yield from _narrowed(f"{where}.{name}", schema, has[name], before, after, depth + 1)
        elif new.get("additionalProperties") is False:
            yield f"{where}: {name} is not taken any more"
    if "items" in old and "items" in new:
        yield from _narrowed(f"{where}[]", old["items"], new["items"], before, after, depth + 1)


def _limits(where: str, old: Document, new: Document) -> Iterator[str]:
    """Values that were right and are refused now."""
    for name in ("maxLength", "maxItems", "maximum", "maxProperties"):
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where}: {name} is {new[name]} now"
    for name in ("minLength", "minItems", "minimum", "minProperties"):
        if name in new and new[name] > old.get(name, float("-inf")) and new[name] > 0:
            yield f"{where}: {name} is {new[name]} now"
    if gone := [one for one in old.get("enum", []) if "enum" in new and one not in new["enum"]]:
        yield f"{where}: {gone[0]!r} is not taken any more"
    if new.get("pattern") != old.get("pattern") and "pattern" in new:
        yield f"{where}: it has to match {new['pattern']} now"


def _widened(
    where: str, old: Document, new: Document, before: Document, after: Document, depth: int = 0
) -> Iterator[str]:
    """What an answer does not promise any more."""
    old, new = _resolved(old, before), _resolved(new, after)
    if depth > _DEPTH:
        return
    yield from _types(where, old, new)
    had, has = old.get("properties", {}), new.get("properties", {})
    for name, schema in had.items():
        if name not in has:
            yield f"{where}: {name} is gone"
        else:
            yield from _widened(f"{where}.{name}", schema, has[name], before, after, depth + 1)
    for name in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        if name in has:
            yield f"{where}: {name} may be missing now"
    if "items" in old and "items" in new:
        yield from _widened(f"{where}[]", old["items"], new["items"], before, after, depth + 1)


def _types(where: str, old: Document, new: Document) -> Iterator[str]:
    if "type" in old and "type" in new and old["type"] != new["type"]:
        yield f"{where}: it is {new['type']} instead of {old['type']}"
