"""Insert, update and upsert of up to a hundred records with one result per record, in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from connectors.zoho_crm.sandbox.answers import ItemProblem, Json, Refusal, invalid, success
from connectors.zoho_crm.sandbox.changes import Changes, unlucky
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.lineitems import check_rows, document_totals
from connectors.zoho_crm.sandbox.rules import check_item, derive
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.store import Row
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.values import Batch, as_id, check_value, lookup_id

Mode: TypeAlias = Literal["insert", "update", "upsert"]
_LOOKUPS = frozenset({"lookup", "multiselectlookup"})


@dataclass(slots=True)
class Order:
    """How a batch is to be written."""

    mode: Mode
    # fields that find the record to upsert; None = the array was left out
    match_fields: Sequence[Field] | None = None
    # the external field that stands in for `id` on an update (X-EXTERNAL)
    external_id: Field | None = None
    external_lookups: Mapping[str, Field] = field(default_factory=dict)
    unmodified_since: int | None = None
    # rows that are addressed by an external value in the path: the item may not change that value
    path_external: Field | None = None


class Writer:
    """Writes one batch into one module."""

    def __init__(self, crm: Crm, module: Module, order: Order, *, actor: int | None = None) -> None:
        self._crm = crm
        self._module = module
        self._order = order
        self._batch = Batch(crm, module, external_lookups=order.external_lookups)
        self._changes = Changes(crm, module, actor or crm.people.admin.id)
        self._mandatory = [item.api_name for item in module.fields.values() if item.mandatory]
        self._keyed = module.keyed_fields

    def run(self, items: Sequence[Any]) -> list[Json]:
        """One result per item, in order (Zoho fact sheet sections 3, 10 and 11)."""
        if len(items) > 1 and any(unlucky(self._crm, "refuse_batch", self._module, item) for item in items):
            self._crm.faults.injected["refuse_batch"] += 1
            raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "data"})
        with self._crm.store.transaction():
            self._prefetch(items)
            results = [self._one(item, f"$.data[{number}]") for number, item in enumerate(items)]
            self._changes.flush()
        return results

    def _prefetch(self, items: Sequence[Any]) -> None:
        """Reads keys, lookup targets and the rows to change with a few statements for the whole batch."""
        self._changes.fetch_keys(items)
        wanted: list[int] = []
        names = [f.api_name for f in self._module.fields.values() if f.data_type in _LOOKUPS]
        dicts = [item for item in items if isinstance(item, dict)]
        for item in dicts:
            for name in names:
                wanted.extend(_ids_in(item.get(name)))
        self._batch.known = self._crm.store.names(wanted)
        if self._order.mode != "insert":
            ids = [found for item in dicts if (found := as_id(item.get("id"))) is not None]
            self._changes.fetch_rows(ids)

    def _one(self, item: Any, path: str) -> Json:
        try:
            if not isinstance(item, dict):
                raise ItemProblem(
                    "INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject", "json_path": path}
                )
            if unlucky(self._crm, "reject_record", self._module, item) or (
                unlucky(self._crm, "refuse_batch", self._module, item)
            ):
                self._crm.faults.injected["reject_record"] += 1
                raise invalid(self._module.name_field, f"{path}.{self._module.name_field}")
            return self._write[self._order.mode](self, item, path)
        except ItemProblem as refused:
            self._crm.stats.refused[refused.code] += 1
            return refused.body()

    def _insert(self, item: Json, path: str) -> Json:
        row = self._create(item, path)
        return success("record added", self._details(row))

    def _update(self, item: Json, path: str) -> Json:
        row = self._addressed(item, path)
        echoed = {}
        if (by := self._order.external_id or self._order.path_external) is not None:
            echoed = {by.api_name: row.data.get(by.api_name)}
        row = self._change(row, item, path)
        return success("record updated", {**self._details(row), **echoed})

    def _upsert(self, item: Json, path: str) -> Json:
        found, matched = self._match(item, path)
        if found is None:
            row, message, action = self._create(item, path), "record added", "insert"
        else:
            row, message, action = self._change(found, item, path), "record updated", "update"
        return success(message, self._details(row), duplicate_field=matched, action=action)

    _write: Mapping[Mode, Callable[["Writer", Json, str], Json]] = {
        "insert": _insert,
        "update": _update,
        "upsert": _upsert,
    }

    def _addressed(self, item: Json, path: str) -> Row:
        """The record an update is about: by `id`, or by the external field that X-EXTERNAL names."""
        by = self._order.external_id
        if by is not None:
            value = item.get(by.api_name)
            if value is None:
                details = {"api_name": by.api_name, "json_path": f"{path}.{by.api_name}"}
                raise ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details)
            holder = self._changes.holder(by, value)
            row = self._changes.row(holder) if holder is not None else None
            if row is None:
                raise invalid(
                    by.api_name, f"{path}.{by.api_name}", message="The value of the external field is invalid."
                )
            return row
        if item.get("id") is None:
            raise ItemProblem(
                "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "id", "json_path": f"{path}.id"}
            )
        record_id = as_id(item["id"])
        row = self._changes.row(record_id) if record_id is not None else None
        if row is None:
            raise invalid("id", f"{path}.id", message="the id given seems to be invalid", id=str(item["id"]))
        return row

    def _match(self, item: Json, path: str) -> tuple[Row | None, str | None]:
        """Which record an upsert meets: listed fields first, then the other unique fields; the system field only if
        it is listed or nothing is (Zoho fact sheet section 11)."""
        if item.get("id") is not None:
            return self._addressed(item, path), "id"
        if self._order.match_fields is None:
            system = self._module.fields.get(self._module.duplicate_field or "")
            order = [system] if system is not None else []
        else:
            order = list(self._order.match_fields)
        for candidate in [*order, *(f for f in self._keyed if f not in order)]:
            holder = self._changes.holder(candidate, item.get(candidate.api_name))
            row = self._changes.row(holder) if holder is not None else None
            if row is not None:
                return row, candidate.api_name
        return None, None

    def _create(self, item: Json, path: str) -> Row:
        given = self._checked(item, path, {}, creating=True)
        store, actor, now = self._crm.store, self._changes.actor, self._changes.now
        merged = {key: value for key, value in given.items() if value is not None and key[0] != "$"}
        merged.setdefault("Owner", str(actor))
        check_item(self._batch, {**item, **given}, merged, path, creating=True)
        record_id = store.next_id()
        self._number(merged, record_id)
        self._finish(merged, record_id, path)
        row = Row(record_id, self._module.api_name, None, merged, now, now, actor, actor)
        self._changes.put(row, {})
        self._crm.stats.created[self._module.api_name] += 1
        return row

    def _change(self, row: Row, item: Json, path: str) -> Row:
        if self._order.unmodified_since is not None and row.modified > self._order.unmodified_since:
            message = "record updated time has already passed if-unmodified-since time"
            raise ItemProblem("ALREADY_MODIFIED", message, self._details(row))
        given = self._checked(item, path, row.data, creating=False)
        merged = dict(row.data)
        for key, value in given.items():
            if value is None:
                merged.pop(key, None)
            elif key[0] != "$":
                merged[key] = value
        check_item(self._batch, {**item, **given}, merged, path, creating=False)
        self._finish(merged, row.id, path)
        changed = Row(
            row.id, row.module, row.name, merged, row.created, self._changes.now, row.creator, self._changes.actor
        )
        self._changes.put(changed, row.data)
        self._crm.stats.updated[self._module.api_name] += 1
        return changed

    def _finish(self, merged: Json, record_id: int, path: str) -> None:
        derive(self._batch, merged)
        rows_field = self._module.items_field
        if rows_field and rows_field in merged:
            document_totals(merged, merged[rows_field])
        for unique in self._keyed:
            holder = self._changes.holder(unique, merged.get(unique.api_name))
            if holder is not None and holder != record_id:
                raise self._duplicate(unique, holder, path)

    def _checked(self, item: Json, path: str, old: Json, *, creating: bool) -> Json:
        """The values of `item` in stored form; every fault of the item is reported, not only the first."""
        given: Json = {}
        problems: list[ItemProblem] = []
        hidden = self._layout(item, path)
        for key, value in item.items():
            if key == "id" or key[:1] == "$" or key == "Layout" or key in hidden:
                continue
            target = self._writable(key, path, problems, creating=creating)
            if target is None:
                continue
            try:
                self._set(given, target, value, item, old, f"{path}.{key}")
            except ItemProblem as refused:
                problems.append(refused)
        required = [*self._mandatory, *(self._module.layout.required if "Layout" in item else ())]
        for name in dict.fromkeys(required):
            absent = name not in given and name not in item if creating else False
            if absent or (name in given and given[name] in (None, [])):
                details = {"api_name": name, "json_path": f"{path}.{name}"}
                problems.append(ItemProblem("MANDATORY_NOT_FOUND", "required field not found", details))
        if len(problems) > 1:
            errors = [refused.body() for refused in problems]
            raise ItemProblem("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request", {"errors": errors})
        if problems:
            raise problems[0]
        return given

    def _layout(self, item: Json, path: str) -> set[str]:
        """Field names a sent layout does not show: they are dropped (Zoho fact sheet section 8)."""
        if "Layout" not in item:
            return set()
        if lookup_id(item["Layout"]) != self._module.layout.id:
            raise invalid("Layout", f"{path}.Layout", message="the id given seems to be invalid")
        return self._module.layout.unused

    def _writable(self, key: str, path: str, problems: list[ItemProblem], *, creating: bool) -> Field | None:
        """The field behind `key` if it may be written; unknown and read-only ones are ignored or reported by switch
        (Zoho fact sheet section 21)."""
        target = self._module.fields.get(key)
        options = self._crm.options
        if target is None:
            if options.unknown_fields == "error":
                message = "the field api name given seems to be invalid"
                problems.append(invalid(key, f"{path}.{key}", message=message))
            return None
        fixed = self._module.api_name == "Notes" and not creating and key not in ("Note_Title", "Note_Content")
        if target.read_only or target.data_type in ("formula", "rollup_summary", "autonumber") or fixed:
            if options.readonly_fields == "error":
                problems.append(invalid(key, f"{path}.{key}", message="the field is read only"))
            return None
        return target

    def _set(self, given: Json, target: Field, value: Any, item: Json, old: Json, path: str) -> None:
        name = target.api_name
        if target.data_type == "subform":
            given[name] = check_rows(self._batch, name, value, old.get(name, []), path)
            return
        if value is None or value == "":
            given[name] = None
            return
        given[name] = check_value(self._batch, target, value, path)
        if target.data_type == "multiselectpicklist" and _appends(item, name):
            given[name] = list(dict.fromkeys([*old.get(name, []), *given[name]]))
        if self._module.api_name == "Notes" and name == "Parent_Id":
            parent = value.get("module")
            given["$parent_module"] = parent.get("api_name") if isinstance(parent, dict) else None
        if target is self._order.path_external and given[name] != old.get(name):
            raise ItemProblem(
                "NOT_ALLOWED", "the external field cannot be changed by itself", {"api_name": name, "json_path": path}
            )

    def _number(self, merged: Json, record_id: int) -> None:
        """Numbers that Zoho gives out: document numbers and custom auto-number fields."""
        for item in self._module.fields.values():
            if item.data_type == "autonumber":
                key = f"{item.id}"
                kept = self._crm.store.document("autonumber", key)
                settings = item.definition.get("auto_number") or {}
                number = kept["next"] if kept else int(settings.get("start_number") or 1)
                self._crm.store.save_document("autonumber", key, {"next": number + 1})
                merged[item.api_name] = f"{settings.get('prefix') or ''}{number}{settings.get('suffix') or ''}"
            elif item.read_only and item.data_type == "bigint" and item.api_name.endswith("_Number"):
                merged[item.api_name] = str(record_id)

    def _details(self, row: Row) -> Json:
        people, zone = self._crm.people, self._crm.zone
        return {
            "Modified_Time": shown_seconds(row.modified, zone),
            "Modified_By": people.brief(row.modifier),
            "Created_Time": shown_seconds(row.created, zone),
            "id": str(row.id),
            "Created_By": people.brief(row.creator),
            "$approval_state": "approved",
        }

    def _duplicate(self, unique: Field, holder: int, path: str) -> ItemProblem:
        """DUPLICATE_DATA with the record that already holds the value (Zoho fact sheet section 3)."""
        other = self._changes.row(holder)
        owner = self._crm.people.users.get(int(other.data["Owner"])) if other else None
        who = {"name": owner.full_name, "id": str(owner.id), "zuid": owner.zuid} if owner else None
        module = {"api_name": self._module.api_name, "id": str(self._module.id)}
        details = {
            "api_name": unique.api_name,
            "json_path": f"{path}.{unique.api_name}",
            "id": str(holder),
            "more_records": False,
            "duplicate_record": {"id": str(holder), "Owner": who, "module": module},
        }
        return ItemProblem("DUPLICATE_DATA", "duplicate data", details)


def _ids_in(value: Any) -> list[int]:
    """Record ids inside a raw lookup or multi-select lookup value."""
    if isinstance(value, dict):
        found = lookup_id(value)
        return [found] if found is not None else []
    if isinstance(value, list):
        return [
            found
            for row in value if isinstance(row, dict)
            for part in row.values() if (found := lookup_id(part)) is not None
        ]  # fmt: skip
    return []


def _appends(item: Json, name: str) -> bool:
    """Whether `$append_values` asks to add to what is there (Zoho fact sheet section 11)."""
    wanted = item.get("$append_values")
    return isinstance(wanted, dict) and wanted.get(name) is True
