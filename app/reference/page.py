"""Writes the OpenAPI document as one HTML page: no script, nothing from anywhere else, readable without a net."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from http import HTTPStatus
from typing import Any

Document = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_ORDER = (
    "platforms",
    "quotes",
    "engagements",
    "mappings",
    "runs",
    "downloads",
    "webhooks",
    "audit",
    "keys",
    "operations",
)
_PROBLEM = "application/problem+json"
_CODE = re.compile(r"`([^`]+)`")
_LONGEST = 6000  # characters of an example; longer ones say more about their data than about their shape


def write_page(document: Document) -> str:
    """The whole page. Every operation folds open and has an anchor: its operation id."""
    info = document["info"]
    groups: dict[str, list[str]] = {tag: [] for tag in _ORDER}
    links: dict[str, list[str]] = {tag: [] for tag in _ORDER}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                tag = operation["tags"][0]
                groups.setdefault(tag, []).append(_operation(document, method, path, operation))
                links.setdefault(tag, []).append(_link(operation["operationId"], operation["summary"]))
    groups["events"] = [_event(document, kind, item["post"]) for kind, item in document["webhooks"].items()]
    links["events"] = [_link(item["post"]["operationId"], kind) for kind, item in document["webhooks"].items()]
    menu = "".join(
        f"<li>{_link(f'of-{tag}', tag.capitalize())}<ul>{''.join(f'<li>{one}</li>' for one in links[tag])}</ul></li>"
        for tag in groups
        if groups[tag]
    )
    body = "".join(_section(f"of-{tag}", tag.capitalize(), parts) for tag, parts in groups.items() if parts)
    schemas = [_schema(name, one) for name, one in sorted(document["components"]["schemas"].items())]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}: the API</title>"
        '<link rel="stylesheet" href="/docs/page.css"></head><body>'
        f'<nav aria-label="Operations"><ul>{menu}<li>{_link("schemas", "Schemas")}</li></ul></nav><main>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_prose(info['summary'])}</p>"
        f"{''.join(f'<p>{_prose(part)}</p>' for part in info['description'].strip().split(chr(10) * 2))}"
        '<p>As a machine reads it: <a href="/openapi.json">openapi.json</a>. Every code of a refusal: '
        '<a href="/problems">problems</a>.</p>'
        f"{body}{_section('schemas', 'Schemas', schemas)}</main></body></html>\n"
    )


def _section(anchor: str, title: str, parts: Iterable[str]) -> str:
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{escape(title)}</h2>{"".join(parts)}</section>'


def _folded(anchor: str, head: str, inside: Iterable[str]) -> str:
    """Folded until somebody opens it; the anchor lies inside, so that a link to it unfolds it without a script."""
    return f'<details><summary>{head}</summary><div id="{escape(anchor)}">{"".join(inside)}</div></details>'


def _operation(document: Document, method: str, path: str, operation: Mapping[str, Any]) -> str:
    head = f'<span class="method {method}">{method.upper()}</span> <code>{escape(path)}</code>'
    title = f"{head} <span>{escape(operation['summary'])}</span>"
    return _folded(operation["operationId"], title, _inside(document, operation))


def _event(document: Document, kind: str, operation: Mapping[str, Any]) -> str:
    head = f'<span class="method post">sent</span> <code>{escape(kind)}</code>'
    return _folded(operation["operationId"], head, _inside(document, operation))


def _inside(document: Document, operation: Mapping[str, Any]) -> Iterator[str]:
    if text := operation.get("description"):
        yield f"<p>{_prose(text)}</p>"
    if scope := operation.get("x-required-scope"):
        yield f"<p>Needs a key with the scope <code>{escape(scope)}</code>.</p>"
    elif not operation.get("security"):
        yield "<p>Needs no key.</p>"
    if parameters := operation.get("parameters"):
        rows = (
            (one["name"], one["in"], one.get("required"), one["schema"], one.get("description", ""))
            for one in (_resolve(document, parameter) for parameter in parameters)
        )
        yield _table("Parameters", rows)
    if body := operation.get("requestBody"):
        yield from _contents("Body", _resolve(document, body)["content"])
    problems: list[str] = []
    for status, answer in operation.get("responses", {}).items():
        contents = _resolve(document, answer).get("content", {})
        if _PROBLEM in contents:
            codes = contents[_PROBLEM].get("examples", {})
            problems += [f'<li>{status} <a href="/problems/{code}">{escape(code)}</a></li>' for code in codes]
        else:
            title = f"Answer {status} {HTTPStatus(int(status)).phrase}" if status.isdigit() else f"Answer {status}"
            yield from _contents(title, contents) if contents else (f"<h3>{escape(title)}</h3>",)
    if problems:
        yield f'<h3>Refusals</h3><ul class="codes">{"".join(problems)}</ul>'


def _contents(title: str, contents: Mapping[str, Any]) -> Iterator[str]:
    """What is sent or answered: media types, the schema's members, an example."""
    kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in contents)
    yield f"<h3>{escape(title)}</h3><p>{kinds}</p>"
    content = next(iter(contents.values()))
    schema = content.get("schema", {})
    if shape := _type(schema):
        yield f"<p>{shape}</p>"
    example = content.get("example")
    if example is None:
        example = next((one.get("value") for one in content.get("examples", {}).values()), None)
    if example is not None:
        text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
        shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "\n…"
        yield f'<pre tabindex="0"><code>{escape(shown)}</code></pre>'


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = (
        (member, "", member in required, one, one.get("description", ""))
        for member, one in schema.get("properties", {}).items()
    )
    inside = _table("Members", rows) if schema.get("properties") else f"<p>{_type(schema)}</p>"
    text = f"<p>{_prose(schema['description'])}</p>" if schema.get("description") else ""
    return _folded(f"schema-{name}", f"<code>{escape(name)}</code>", (text, inside))


def _table(title: str, rows: Any) -> str:
    lines = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(place)}{" " if place else ""}'
        f"{'required' if required else 'optional'}</td><td>{_type(schema)}</td><td>{_prose(text)}</td></tr>"
        for name, place, required, schema, text in rows
    )
    return f'<h3>{title}</h3><div class="wide" tabindex="0"><table>{lines}</table></div>'


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to what it refers to."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return _link(f"schema-{name}", name)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(_type(one) for one in choices)
    if values := schema.get("enum") or [schema[key] for key in ("const",) if key in schema]:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_type(schema.get('items', {})) or 'anything'}"
    if kind == "object" and isinstance(inner := schema.get("additionalProperties"), Mapping) and inner:
        return f"object of {_type(inner) or 'anything'}"
    return _plain_type(schema)


def _plain_type(schema: Mapping[str, Any]) -> str:
    """A type with what bounds it."""
    bounds = (
        ("minimum", "from {}"),
        ("maximum", "to {}"),
        ("maxLength", "up to {} characters"),
        ("default", "default {}"),
    )
    limits = [words.format(schema[key]) for key, words in bounds if schema.get(key) not in (None, "", [], {})]
    kind = schema.get("type", "")
    form = f" ({schema['format']})" if schema.get("format") else ""
    return escape(", ".join(one for one in (f"{kind}{form}", *limits) if one))


def _resolve(document: Document, part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part itself, or what it refers to."""
    if "$ref" not in part:
        return part
    found: Any = document
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return _resolve(document, found)


def _link(anchor: str, text: str) -> str:
    return f'<a href="#{escape(anchor)}">{escape(text)}</a>'


def _prose(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
