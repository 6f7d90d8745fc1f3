"""Makes what the destination lacks: modules, fields, picklist values, stages, layout places. Looks first, each time.

A call whose answer was lost is cleared up by running the change again: what exists is found and not made twice. What
the API refuses becomes an instruction for an admin (ruling 17), never a silent gap.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.answers import Answer
from connectors.base import ChangeKind, ChangeResult, SchemaChange
from connectors.errors import BatchRefused, ConnectorError, ContractBroken, CredentialsRejected
from connectors.http import ApiClient
from connectors.zoho_crm import wire
from connectors.zoho_crm.drafts import (
    clean_label,
    clean_module_label,
    derived_name,
    field_body,
    matching,
    option_body,
    serves,
    values_of,
)
from connectors.zoho_crm.metadata import Metadata
from connectors.zoho_crm.records import ROOT

MODULE_CREDITS = 500
"""What creating a custom module costs (section 4)."""
_FIELDS_PER_CALL = 5  # newest text says 25, the others 5 (section 19 item 1)
_JSON = {"Content-Type": "application/json"}
_REFUSED = frozenset({400, 403})
_FOR_ADMINS = frozenset({
    "NOT_SUPPORTED", "NO_PERMISSION", "NOT_ALLOWED", "LIMIT_EXCEEDED", "FIELD_LIMIT_EXCEEDED", "DUPLICATE_DATA",
    "RESERVED_KEYWORD_NOT_ALLOWED", "MINIMUM_DATA_NOT_FOUND", "INVALID_DATA", "FEATURE_NOT_SUPPORTED",
    "EXPECTED_DEPENDENT_FIELD_MISSING", "MANDATORY_NOT_FOUND",
})  # fmt: skip


class Provisioner:
    """Schema changes of one org."""

    def __init__(self, api: ApiClient, metadata: Metadata) -> None:
        self._api = api
        self._metadata = metadata

    async def apply(self, changes: Sequence[SchemaChange], names: Mapping[str, str]) -> list[ChangeResult]:
        """Results in the order of `changes`; fields of one module share calls, five at a time.

        `names` maps logical names to API names; modules made here are added for the changes that follow them.
        """
        known = dict(names)
        results: list[ChangeResult] = []
        for group in _groups(changes):
            if group[0].kind is ChangeKind.FIELD:
                made = await self._fields(group, known)
            else:
                made = [await self._single(group[0], known)]
            for result in made:
                if result.api_name and result.change.kind is ChangeKind.OBJECT:
                    known[result.change.object] = result.api_name
            results += made
        return results

    async def _single(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        module = names.get(change.object, change.object)
        match change.kind:
            case ChangeKind.OBJECT:
                return await self._module(change)
            case ChangeKind.STAGES:
                return await self._stages(change, module)
            case ChangeKind.LAYOUT:
                return await self._layout(change, module, names)
            case _:
                return await self._picklist(change, module, names)

    async def _module(self, change: SchemaChange) -> ChangeResult:
        plural = clean_module_label(str(change.attributes.get("plural") or change.label or change.object))
        singular = clean_module_label(str(change.attributes.get("singular") or plural))
        found = _module_named(await self._metadata.modules(), change, plural)
        if found is not None:
            return ChangeResult(change=change, api_name=found.api_name, id=found.id, existed=True)
        profiles = [{"id": profile} for profile in await self._metadata.profiles()]
        body = {"modules": [{"plural_label": plural, "singular_label": singular, "profiles": profiles}]}
        self._metadata.forget()  # before the call: if its answer is lost, the next look sees what it did
        answer = await self._post("POST", "settings/modules", body, credits=MODULE_CREDITS)
        item = self._item(answer, lambda: answer.decode(wire.MODULE_RESULTS).modules)
        if item.code not in ("SUCCESS", "DUPLICATE_DATA"):
            return ChangeResult(change=change, manual=_by_hand(item, f"create the module “{plural}” in Setup"))
        found = next((one for one in await self._metadata.modules() if one.id == str(item.details.id)), None)
        found = found or _module_named(await self._metadata.modules(), change, plural)
        if found is None:
            return ChangeResult(change=change, manual=_by_hand(item, f"rename what is called “{plural}” already"))
        existed = item.code != "SUCCESS"
        return ChangeResult(change=change, api_name=found.api_name, id=found.id, existed=existed)

    async def _fields(self, changes: Sequence[SchemaChange], names: Mapping[str, str]) -> list[ChangeResult]:
        """Fields of one module: those that exist are found, the others made together."""
        module = names.get(changes[0].object, changes[0].object)
        present = await self._metadata.fields(module)
        if not present:
            raise ContractBroken(f"the module {module} does not exist or shows no fields", code="NO_MODULE")
        results: list[ChangeResult | None] = [existing_field(one, present, names) for one in changes]
        missing = [place for place, result in enumerate(results) if result is None]
        for start in range(0, len(missing), _FIELDS_PER_CALL):
            places = missing[start : start + _FIELDS_PER_CALL]
            made = await self._create_fields(module, [changes[place] for place in places], names)
            for place, result in zip(places, made, strict=True):
                results[place] = result
        return [result for result in results if result is not None]

    async def _create_fields(
        self, module: str, changes: Sequence[SchemaChange], names: Mapping[str, str]
    ) -> list[ChangeResult]:
        """The answer holds ids only: metadata are read again for the API names (section 7)."""
        bodies = [field_body(change, names) for change in changes]
        self._metadata.forget(module)
        answer = await self._post("POST", "settings/fields", {"fields": bodies}, module=module)
        items = self._items(answer, lambda: answer.decode(wire.FIELD_RESULTS).fields, len(changes))
        present = await self._metadata.fields(module)
        results = []
        for change, body, item in zip(changes, bodies, items, strict=True):
            made = next((field for field in present if field.id == str(item.details.id)), None)
            if item.code == "SUCCESS" and made is not None:
                results.append(ChangeResult(change=change, api_name=made.api_name, id=made.id))
                continue
            found = existing_field(change, present, names) if item.code == "DUPLICATE_DATA" else None
            todo = f"create the field “{body['field_label']}” ({body['data_type']}) in the module {module}"
            results.append(found or ChangeResult(change=change, manual=_by_hand(item, todo)))
        return results

    async def _picklist(self, change: SchemaChange, module: str, names: Mapping[str, str]) -> ChangeResult:
        """Adds options to a picklist; the stages of deals belong to pipelines as well."""
        field = await self._field(change, module, names)
        if module == "Deals" and field.api_name == "Stage":
            return await self._stages(change, module)
        wanted = values_of(change, "picklist", "values")
        missing = _unlisted(field, wanted)
        if not missing:
            return ChangeResult(change=change, api_name=field.api_name, id=field.id, existed=True)
        item = await self._add_options(module, field, [option_body(value) for value in missing])
        if item.code == "SUCCESS":
            return ChangeResult(change=change, api_name=field.api_name, id=field.id)
        todo = f"add to the picklist {module}.{field.field_label}: {', '.join(missing)}"
        return ChangeResult(change=change, api_name=field.api_name, id=field.id, manual=_by_hand(item, todo))

    async def _field(self, change: SchemaChange, module: str, names: Mapping[str, str]) -> wire.Field:
        name = names.get(f"{change.object}.{change.name}") or names.get(change.name) or change.name
        present = await self._metadata.fields(module)
        exact = next((field for field in present if field.api_name == name), None)
        found = exact or next(iter(matching(present, change, clean_label(change.label or name))), None)
        if found is None:
            raise ContractBroken(f"{module} has no field {name}", code="NO_FIELD")
        return found

    async def _add_options(self, module: str, field: wire.Field, options: list[dict[str, Any]]) -> wire.Item:
        body = {"fields": [{"pick_list_values": options}]}
        self._metadata.forget(module)
        answer = await self._post("PATCH", f"settings/fields/{field.id}", body, module=module)
        return self._item(answer, lambda: answer.decode(wire.FIELD_RESULTS).fields)

    async def _stages(self, change: SchemaChange, module: str) -> ChangeResult:
        """Options of `Stage`, then their places in every pipeline; read back, because taking them is unverified."""
        field = next((one for one in await self._metadata.fields(module) if one.api_name == "Stage"), None)
        if field is None:
            raise ContractBroken(f"{module} has no field Stage", code="NO_FIELD")
        wanted = values_of(change, "stages", "picklist", "values")
        described = {str(one.get("name")): one for one in _objects(change.attributes.get("stages"))}
        missing = _unlisted(field, wanted)
        refusal: wire.Item | None = None
        if missing:
            options = [option_body(name) | _stage_attributes(described.get(name, {})) for name in missing]
            item = await self._add_options(module, field, options)
            refusal = item if item.code != "SUCCESS" else None
            field = next(one for one in await self._metadata.fields(module) if one.api_name == "Stage")
        pipeline = str(change.attributes.get("pipeline") or "")
        changed = await self._map_stages(module, field, wanted, pipeline)
        if change.attributes.get("new") and changed is False:
            changed = await self._new_pipeline(module, field, wanted, pipeline)
        refusal = refusal or (changed if isinstance(changed, wire.Item) else None)
        lost = _unlisted(field, wanted)
        if refusal is None and not lost:
            existed = not missing and not changed
            return ChangeResult(change=change, api_name=field.api_name, id=field.id, existed=existed)
        todo = f"add these stages to the pipeline {pipeline} in Setup: {', '.join(lost or wanted)}"
        manual = _by_hand(refusal or wire.Item("NOT_STORED"), todo)
        return ChangeResult(change=change, api_name=field.api_name, id=field.id, manual=manual)

    async def _new_pipeline(self, module: str, field: wire.Field, wanted: Sequence[str], name: str) -> bool | wire.Item:
        """A pipeline of that name with these stages, in every layout that lacks it; as `_map_stages`."""
        ids = {one.actual_value or one.display_value: one for one in field.pick_list_values if one.type == "used"}
        changed = False
        for layout in await self._metadata.layouts(module):
            present = await self._metadata.pipelines(layout.id)
            if any(one.display_value.casefold() == name.casefold() for one in present):
                continue
            stages = [ids[one] for one in wanted if one in ids]
            maps = [_map(one.id, one.display_value, place) for place, one in enumerate(stages, 1)]
            body = {"pipeline": [{"display_value": name, "default": False, "maps": maps}]}
            answer = await self._post("POST", "settings/pipeline", body, layout_id=layout.id)
            item = self._item(answer, lambda got=answer: got.decode(wire.PIPELINE_RESULTS).pipeline)
            if item.code not in ("SUCCESS", "DUPLICATE_DATA"):
                return item
            changed = True
        return changed

    async def _map_stages(
        self, module: str, field: wire.Field, wanted: Sequence[str], pipeline_name: str
    ) -> bool | wire.Item:
        """Adds stages to the pipelines; True when something changed, the refusal when one was refused."""
        ids = {one.actual_value or one.display_value: one for one in field.pick_list_values if one.type == "used"}
        changed = False
        for layout in await self._metadata.layouts(module):
            for pipeline in await self._metadata.pipelines(layout.id):
                if pipeline_name and pipeline.display_value != pipeline_name:
                    continue
                mapped = {stage.id for stage in pipeline.maps}
                fresh = [ids[name] for name in wanted if name in ids and ids[name].id not in mapped]
                if not fresh:
                    continue
                stages = [(one.id, one.display_value) for one in pipeline.maps]
                stages += ((one.id, one.display_value) for one in fresh)
                maps = [_map(stage, display, place) for place, (stage, display) in enumerate(stages, 1)]
                body = {"pipeline": [{"display_value": pipeline.display_value, "maps": maps}]}
                path = f"settings/pipeline/{pipeline.id}"
                answer = await self._post("PUT", path, body, layout_id=layout.id)
                item = self._item(answer, lambda got=answer: got.decode(wire.PIPELINE_RESULTS).pipeline)
                if item.code != "SUCCESS":
                    return item
                changed = True
        return changed

    async def _layout(self, change: SchemaChange, module: str, names: Mapping[str, str]) -> ChangeResult:
        """Sees that fields stand in every active layout; new ones go to its first section (section 8)."""
        wanted = [names.get(f"{change.object}.{one}") or names.get(one) or one for one in values_of(change, "fields")]
        fields = {field.api_name: field for field in await self._metadata.fields(module)}
        todo: list[str] = []
        existed, last, refusal = True, "", wire.Item("NOT_STORED")
        for layout in await self._metadata.layouts(module):
            shown = {field.api_name for section in layout.sections for field in section.fields}
            missing = [fields[name] for name in wanted if name in fields and name not in shown]
            last = layout.id
            self._metadata.forget(module)
            for start in range(0, len(missing) if layout.sections else 0, _FIELDS_PER_CALL):
                chosen = missing[start : start + _FIELDS_PER_CALL]
                section = {"id": layout.sections[0].id, "fields": [{"id": field.id} for field in chosen]}
                body = {"layouts": [{"id": layout.id, "sections": [section]}]}
                answer = await self._post("PATCH", f"settings/layouts/{layout.id}", body, module=module)
                item = self._item(answer, lambda got=answer: got.decode(wire.LAYOUT_RESULTS).layouts)
                existed = False
                if item.code != "SUCCESS":
                    refusal = item
                    todo += [f"“{field.field_label}” in layout “{layout.name}”" for field in chosen]
        manual = _by_hand(refusal, f"place in module {module}: {', '.join(todo)}") if todo else ""
        return ChangeResult(change=change, api_name=module, id=last, existed=existed and not todo, manual=manual)

    async def _post(self, method: str, path: str, body: dict[str, Any], *, credits: int = 1, **params: str) -> Answer:
        return await self._api.request(
            method,
            f"{ROOT}/{path}",
            purpose="provision",
            writing=True,
            params=params or None,
            content=msgspec.json.encode(body),
            headers=_JSON,
            credits=credits,
            accept=_REFUSED,
        )

    def _item(self, answer: Answer, read: Any) -> wire.Item:
        return self._items(answer, read, 1)[0]

    def _items(self, answer: Answer, read: Any, expected: int) -> list[wire.Item]:
        """Results per item; a refusal of the whole request counts for each of them when an admin can help."""
        refused = answer.status in _REFUSED
        try:
            items: list[wire.Item] = read()
        except ConnectorError:
            if not refused:
                raise
            items = []
        if len(items) == expected:
            return items
        if not refused:
            raise answer.unreadable(f"{len(items)} results for {expected} changes")
        error = self._api.refusal(answer)
        if isinstance(error, BatchRefused | ContractBroken | CredentialsRejected) and error.code in _FOR_ADMINS:
            return [wire.Item(error.code, "error", error.detail)] * expected
        raise error


def existing_field(change: SchemaChange, present: list[wire.Field], names: Mapping[str, str]) -> ChangeResult | None:
    """The field that already serves a change, an instruction when one of that label does not, None when free."""
    body = field_body(change, names)
    found = matching(present, change, body["field_label"])
    for field in found:
        if serves(field, body):
            return ChangeResult(change=change, api_name=field.api_name, id=field.id, existed=True)
    if not found:
        return None
    wanted = f"unique {body['data_type']}" if "external" in body or "unique" in body else body["data_type"]
    manual = (
        f"{change.object}.{found[0].api_name} exists as {found[0].data_type} and cannot serve as {wanted}: "
        "rename or remove it, or map to another field"
    )
    return ChangeResult(change=change, manual=manual)


def _groups(changes: Sequence[SchemaChange]) -> list[list[SchemaChange]]:
    """Neighbouring field changes of one module together, every other change alone."""
    groups: list[list[SchemaChange]] = []
    for change in changes:
        last = groups[-1][-1] if groups else None
        if last and change.kind is ChangeKind.FIELD and last.kind is ChangeKind.FIELD and last.object == change.object:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _module_named(modules: list[wire.Module], change: SchemaChange, plural: str) -> wire.Module | None:
    wanted = {derived_name(plural).lower(), change.object.lower()}
    for module in modules:
        if module.plural_label.strip().lower() == plural.lower() or module.api_name.lower() in wanted:
            return module
    return None


def _unlisted(field: wire.Field, wanted: Sequence[str]) -> list[str]:
    listed = {
        text for one in field.pick_list_values if one.type == "used" for text in (one.actual_value, one.display_value)
    }
    return [value for value in wanted if value not in listed]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _stage_attributes(described: Mapping[str, Any]) -> dict[str, Any]:
    """Probability and forecast, where they are planned; that the API takes them is unverified (section 9)."""
    found: dict[str, Any] = {}
    if isinstance(described.get("probability"), int):
        found["probability"] = described["probability"]
    if described.get("forecast"):
        found["forecast_type"] = str(described["forecast"])
    return found


def _map(stage: str, display: str, place: int) -> dict[str, Any]:
    return {"id": stage, "display_value": display, "sequence_number": place}


def _by_hand(item: wire.Item, todo: str) -> str:
    """An instruction that says why the API did not do it."""
    reason = f"{item.code} {item.message}".strip()[:200]
    return f"Zoho CRM did not take this by API ({reason}). An administrator must {todo}, then check again."
