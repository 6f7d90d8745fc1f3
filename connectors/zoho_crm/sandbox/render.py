"""Records as Zoho shows them: lookups with names, times in the user's zone, system keys beside the fields."""

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.zoho_crm.sandbox.answers import Json
from connectors.zoho_crm.sandbox.changes import targets
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.store import Row
from connectors.zoho_crm.sandbox.times import shown, shown_seconds

_USERS = frozenset({"ownerlookup", "userlookup"})
_RICH_LIMIT = 500


class Renderer:
    """Renders rows of one module; names of linked records are read once per page."""

    def __init__(self, crm: Crm, module: Module, rows: Sequence[Row], *, bare_lookups: bool = False) -> None:
        self._crm = crm
        self._module = module
        self._bare = bare_lookups
        self._tags: dict[str, Json] = {}
        self._names = {} if bare_lookups else crm.store.names(list(self._linked(rows)))

    def _linked(self, rows: Iterable[Row]) -> Iterable[int]:
        links = [f.api_name for f in self._module.fields.values() if f.data_type in ("lookup", "multiselectlookup")]
        items = self._module.items_field
        for row in rows:
            for name in links:
                yield from targets(row.data.get(name))
            for item in row.data.get(items or "", ()):
                yield from targets(item.get("Product_Name"))

    def listed(self, row: Row, names: Sequence[str]) -> Json:
        """The asked fields and the id; names that are no field of the module are left out, subforms never listed."""
        shown_row: Json = {}
        for name in names:
            item = self._module.fields.get(name)
            if item is not None and item.data_type != "subform":
                shown_row[name] = self.value(row, item, short=True)
            elif name == "$se_module":
                shown_row[name] = row.data.get(name)
        shown_row["id"] = str(row.id)
        return shown_row

    def whole(self, row: Row) -> Json:
        """Every field of one record, line items included (Zoho fact sheet section 14)."""
        body = {name: self.value(row, item) for name, item in self._module.fields.items()}
        body.update({"id": str(row.id), "$has_more": {}, "$approval_state": "approved", "$editable": True})
        body["Layout"] = {"name": self._module.layout.name, "id": str(self._module.layout.id)}
        if "$se_module" in row.data:
            body["$se_module"] = row.data["$se_module"]
        return body

    def value(self, row: Row, item: Field, *, short: bool = False) -> Any:
        """One field of one record."""
        name = item.api_name
        system = self._system(row, name)
        if system is not None:
            return system
        value = row.data.get(name)
        if value is None:
            return [] if name == "Tag" else None
        if name == "Tag":
            return [self._tag(text) for text in value]
        if item.data_type == "textarea":
            rich = short and (item.definition.get("textarea") or {}).get("type") == "rich_text"
            return value[:_RICH_LIMIT] if rich else value
        return self._typed(value, item)

    def _typed(self, value: Any, item: Field) -> Any:
        if item.data_type in _USERS:
            return {"id": value} if self._bare else self._crm.people.brief(int(value), email=True)
        if item.data_type == "lookup":
            return self._link(value, item)
        if item.data_type == "datetime":
            return shown(value, self._crm.zone)
        if item.data_type == "subform":
            return [self._item(part) for part in value]
        return value

    def _system(self, row: Row, name: str) -> Any:
        crm = self._crm
        if name == "id":
            return str(row.id)
        if name in ("Created_Time", "Modified_Time"):
            return shown_seconds(row.created if name == "Created_Time" else row.modified, crm.zone)
        if name in ("Created_By", "Modified_By"):
            user = row.creator if name == "Created_By" else row.modifier
            return {"id": str(user)} if self._bare else crm.people.brief(user, email=True)
        return {"Record_Status__s": "Available", "Locked__s": False}.get(name)

    def _link(self, value: str, item: Field) -> Json:
        if self._bare:
            return {"id": value}
        module, name = self._names.get(int(value), (None, None))
        body: Json = {"name": name, "id": value}
        if item.api_name == "Parent_Id" and module is not None:
            body["module"] = {"api_name": module, "id": str(self._crm.schema.modules[module].id)}
        return body

    def _item(self, part: Json) -> Json:
        product = part["Product_Name"]
        name = self._names.get(int(product), (None, None))[1]
        return {**part, "Product_Name": {"name": name, "id": product}}

    def _tag(self, text: str) -> Json:
        if text not in self._tags:
            kept = self._crm.store.document("tag", f"{self._module.api_name}:{text}") or {}
            self._tags[text] = {"name": text, "id": kept.get("id"), "color_code": kept.get("color_code")}
        return self._tags[text]
