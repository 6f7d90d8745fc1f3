"""Related lists: children by lookup, activities, notes, and the product and contact-role links of a record."""

from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, Refusal, batch_reply, invalid, reply, success
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.gate import json_object
from connectors.zoho_crm.sandbox.paging import Page
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.store import ROW_COLUMNS, Row, as_row
from connectors.zoho_crm.sandbox.values import as_id

# Many-to-many lists: list name -> (module of its rows, parents that have it).
LINKED = {
    "Products": ("Products", ("Leads", "Accounts", "Contacts", "Deals", "Price_Books", "Vendors")),
    "Contact_Roles": ("Contacts", ("Deals",)),
    "Campaigns": ("Campaigns", ("Leads", "Contacts")),
}
_ROLES = ("Decision Maker", "Product Management", "Purchasing", "Economic Decision Maker", "Technical Decision Maker")


@dataclass(frozen=True, slots=True)
class RelatedList:
    """One related list of a module: the child's lookup field, or a many-to-many link where `field` is None."""

    api_name: str
    label: str
    module: str
    field: Field | None


def lists_of(crm: Crm, module: Module) -> list[RelatedList]:
    """Related lists of a module; a second lookup from the same child gets a number behind its name."""
    found: dict[str, RelatedList] = {}
    for target in (module.api_name, "se_module"):
        for child, item in crm.schema.lookups_to(target):
            _add(found, child, item)
    for name, (rows, parents) in LINKED.items():
        if module.api_name in parents:
            found.setdefault(name, RelatedList(name, name.replace("_", " "), rows, None))
    attachments = RelatedList("Attachments", "Attachments", "Attachments", None)
    return [*found.values(), attachments]


def _add(found: dict[str, RelatedList], child: Module, item: Field) -> None:
    label = str((item.definition.get("lookup") or {}).get("display_label") or child.plural)
    base = "".join(c if c.isalnum() else "_" for c in label) if item.custom else child.api_name
    name, number = base, 0
    while name in found:
        number += 1
        name = f"{base}{number}"
    found[name] = RelatedList(name, label, child.api_name, item)


async def related_lists(crm: Crm, request: Request) -> Response:
    """GET /settings/related_lists?module=."""
    module = crm.schema.module(request.query_params.get("module", ""))
    lists = [
        {
            "id": str(item.field.id if item.field else module.id + number), "api_name": item.api_name,
            "display_label": item.label, "name": item.label, "sequence_number": str(number + 1), "type": "default",
            "module": {"api_name": item.module, "id": str(_module_id(crm, item.module))},
            "href": f"{module.api_name}/{{ENTITYID}}/{item.api_name}", "action": None, "visible": True,
        }
        for number, item in enumerate(lists_of(crm, module))
    ]  # fmt: skip
    return reply(200, {"related_lists": lists})


def _module_id(crm: Crm, name: str) -> int:
    known = crm.schema.modules.get(name)
    return known.id if known else 0


def related_rows(
    crm: Crm, module: Module, parent: int, name: str, page: Page
) -> tuple[Module, list[Row], dict[int, Json]]:
    """The child module, one row more than the page, and values of the link itself by row id."""
    item = next(
        (each for each in lists_of(crm, module) if each.api_name == name and each.module != "Attachments"), None
    )
    if item is None:
        raise Refusal(400, "INVALID_DATA", "the relation name given seems to be invalid", {"resource_path_index": 2})
    child = crm.schema.modules[item.module]
    columns = ", ".join(f"r.{column}" for column in ROW_COLUMNS.split(", "))
    # notes come oldest first (Zoho fact sheet section 16)
    way = "ASC" if item.module == "Notes" else "DESC"
    window = f"ORDER BY r.id {way} LIMIT ? OFFSET ?"
    if item.field is not None:
        raw = crm.store.all(
            f"SELECT {columns} FROM links l JOIN records r ON r.id = l.source "  # noqa: S608
            f"WHERE l.target = ? AND l.slot = ? {window}",
            (parent, item.field.id, page.size + 1, page.offset),
        )
        return child, [as_row(row) for row in raw], {}
    raw = crm.store.all(
        f"SELECT {columns}, l.body FROM relations l JOIN records r ON r.id = l.right_id "  # noqa: S608
        f"WHERE l.left_id = ? AND l.kind = ? {window}",
        (parent, item.api_name, page.size + 1, page.offset),
    )
    return child, [as_row(row) for row in raw], {row[0]: orjson.loads(row[8]) for row in raw}


def _parent_and_kind(crm: Crm, request: Request) -> tuple[int, str]:
    module = crm.schema.module(request.path_params["module"])
    name = request.path_params["related"]
    if name not in LINKED or module.api_name not in LINKED[name][1]:
        raise Refusal(400, "INVALID_DATA", "the relation name given seems to be invalid", {"resource_path_index": 2})
    parent = crm.store.row(module.api_name, as_id(request.path_params["id"]) or 0)
    if parent is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    return parent.id, name


async def link(crm: Crm, request: Request) -> Response:
    """PUT /{module}/{id}/{related_list}: links up to a hundred records, or one with its id in the path."""
    parent, kind = _parent_and_kind(crm, request)
    items = json_object(request.scope).get("data")
    if not isinstance(items, list) or not items or len(items) > 100:
        raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "data", "maximum_length": 100})
    if (child := request.path_params.get("child")) is not None:
        items = [{**(items[0] if isinstance(items[0], dict) else {}), "id": child}]
    with crm.store.transaction():
        results = [_linked(crm, parent, kind, item, f"$.data[{n}]") for n, item in enumerate(items)]
    return batch_reply("data", results)


def _linked(crm: Crm, parent: int, kind: str, item: object, path: str) -> Json:
    child = as_id(item.get("id")) if isinstance(item, dict) else None
    row = crm.store.row(LINKED[kind][0], child) if child is not None else None
    if row is None or not isinstance(item, dict):
        return invalid("id", f"{path}.id", message="the id given seems to be invalid").body()
    body: Json = {}
    if kind == "Contact_Roles":
        role = item.get("Contact_Role")
        name = role.get("name") if isinstance(role, dict) else role
        if name is not None and name not in _ROLES:
            return invalid("Contact_Role", f"{path}.Contact_Role", supported_values=list(_ROLES)).body()
        body = {"Contact_Role": {"name": name, "id": None} if name else None}
    values = (kind, parent, row.id, orjson.dumps(body).decode())
    crm.store.run("INSERT OR REPLACE INTO relations VALUES (?, ?, ?, ?)", values)
    return success("relation added", {"id": str(row.id)})


async def unlink(crm: Crm, request: Request) -> Response:
    """DELETE /{module}/{id}/{related_list}?ids= or .../{child id}."""
    parent, kind = _parent_and_kind(crm, request)
    child = request.path_params.get("child")
    asked = [child] if child is not None else request.query_params.get("ids", "").split(",")
    results = []
    for text in asked[:100]:
        try:
            results.append(_unlinked(crm, parent, kind, as_id(text)))
        except ItemProblem as refused:
            results.append(refused.body())
    return batch_reply("data", results)


def _unlinked(crm: Crm, parent: int, kind: str, child: int | None) -> Json:
    done = crm.store.run(
        "DELETE FROM relations WHERE kind = ? AND left_id = ? AND right_id = ?", (kind, parent, child or 0)
    )
    if done.rowcount == 0:
        raise ItemProblem("INVALID_DATA", "the id given seems to be invalid", {"id": str(child)})
    return success("relation removed", {"id": str(child)})
