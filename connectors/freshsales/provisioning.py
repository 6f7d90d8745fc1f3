"""Makes what the API can make: custom modules and fields. Everything else becomes an instruction for an administrator.

Fields of standard modules go through the same forms call as those of custom ones; that is undocumented there, so a
refusal is no failure of the run (Freshsales fact sheet sections 11 and 18).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.domain.schema import FieldType
from connectors.answers import Answer
from connectors.base import ChangeKind, ChangeResult, SchemaChange
from connectors.errors import Ambiguous, ContractBroken, Transient
from connectors.freshsales import modules, wire
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import Module
from connectors.freshsales.reading import JSON
from connectors.http import ApiClient, Sleep

_REFUSED = frozenset({400, 403, 404, 422})
_LABEL_LENGTH = 255
_MOST_CHOICES = 300  # section 14
_WORDS = {
    FieldType.TEXTAREA: "textarea", FieldType.INTEGER: "number", FieldType.DECIMAL: "number",
    FieldType.CURRENCY: "number", FieldType.PERCENT: "number", FieldType.BOOLEAN: "checkbox", FieldType.DATE: "date",
    FieldType.DATETIME: "date_time_split", FieldType.PICKLIST: "dropdown",
    FieldType.MULTIPICKLIST: "multi_select_dropdown", FieldType.LOOKUP: "lookup",
}  # fmt: skip
# A field that exists already serves when it can hold what was planned.
_SERVES = {
    "text": {"text", "textarea", "dropdown", "radio"}, "number": {"number", "decimal"},
    "date_time_split": {"date_time_split", "date_time"}, "dropdown": {"dropdown", "radio", "text"},
}  # fmt: skip
_SINGULAR = {"contacts": "contact", "sales_accounts": "sales_account", "deals": "deal", "products": "product",
             "leads": "lead"}  # fmt: skip
_SETTINGS = {
    modules.SALES_ACTIVITIES: Module(modules.SALES_ACTIVITIES, "/sales_activities", "sales_activity"),
    "products": modules.PRODUCTS,
}
_NO_FIELDS = (modules.TASKS, modules.APPOINTMENTS, modules.NOTES, modules.PHONE_CALLS)
_ICON = "default"
_TRIES = 6
_LONGEST_PAUSE = 30.0


class Provisioner:
    """Schema changes of one account."""

    def __init__(self, api: ApiClient, metadata: Metadata, sleep: Sleep) -> None:
        self._api = api
        self._metadata = metadata
        self._sleep = sleep

    async def apply(self, changes: Sequence[SchemaChange], names: Mapping[str, str]) -> list[ChangeResult]:
        """Results in the order of `changes`; `names` maps logical keys to API names."""
        known = dict(names)
        results = []
        for change in changes:
            result = await self._patiently(change, known)
            if result.api_name and change.kind is ChangeKind.OBJECT:
                known[change.object] = result.api_name
            results.append(result)
        return results

    async def _patiently(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        """A call that was not carried out, or whose answer was lost, is followed by a new look and then repeated: an
        account takes one field a call, and a hundred of them must not begin anew because of one hiccup.

        What is found after a lost answer was made by it. Raises what the last of six tries raised.
        """
        lost = False
        for attempt in range(_TRIES):
            try:
                result = await self._single(change, names)
                return result.model_copy(update={"existed": result.existed and not lost})
            except (Transient, Ambiguous) as error:
                pause = error.retry_after if isinstance(error, Transient) else None
                pause = 0.25 * 2**attempt if pause is None else pause
                if attempt == _TRIES - 1 or pause > _LONGEST_PAUSE:
                    raise
                lost = lost or isinstance(error, Ambiguous)
                await self._sleep(pause)
        raise AssertionError  # the last attempt returned or raised

    async def _single(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        match change.kind:
            case ChangeKind.OBJECT:
                return await self._module(change)
            case ChangeKind.FIELD:
                return await self._field(change, names)
            case ChangeKind.LAYOUT:  # a field is placed in its form when it is made
                return ChangeResult(change=change, api_name=names.get(change.object, change.object), existed=True)
            case ChangeKind.STAGES:
                return await self._stages(change)
            case _:
                return await self._options(change, names)

    async def _module(self, change: SchemaChange) -> ChangeResult:
        entity = entity_name(change.object)
        plural = str(change.attributes.get("plural") or change.label or change.object)[:_LABEL_LENGTH]
        singular = str(change.attributes.get("singular") or plural)[:_LABEL_LENGTH]
        found = _named(await self._metadata.custom_modules(), entity, plural)
        if found is not None:
            return ChangeResult(change=change, api_name=found.entity_name, id=str(found.id), existed=True)
        body = {"entity_name": entity, "singular_name": singular, "plural_name": plural, "icon": _ICON,
                "show_in_navigation_menu": True}  # fmt: skip
        self._metadata.forget()  # before the call: if its answer is lost, the next look sees what it did
        answer = await self._post("/settings/module_customizations", {"module_customization": body})
        if answer.status in _REFUSED:
            found = _named(await self._metadata.custom_modules(), entity, plural)
            if found is not None:
                return ChangeResult(change=change, api_name=found.entity_name, id=str(found.id), existed=True)
            todo = f"create the module “{plural}” (custom modules are part of the Enterprise plan)"
            return ChangeResult(change=change, manual=self._by_hand(answer, todo))
        made = answer.decode(wire.MODULE).module_customization
        return ChangeResult(change=change, api_name=made.entity_name, id=str(made.id))

    async def _field(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        label = clean_label(change.label or change.name)
        if change.object in _NO_FIELDS:
            text = f"{change.object} have no custom fields: map “{label}” into the description."
            return ChangeResult(change=change, manual=text)
        module = await self._module_for(change.object, names)
        body = field_body(change, label, names)
        fields = await self._metadata.fields(module)
        existing = self._existing(change, fields, body, label)
        if existing is not None:
            return await self._with_advice(existing, module)
        forms = await self._metadata.forms(module)
        form = _form(forms)
        todo = f"create the field “{label}” ({body['type']}) in the module {module.name}"
        if form is None:
            return ChangeResult(change=change, manual=_instruction("the account shows no form of the module", todo))
        self._metadata.forget(module)  # before the call: if its answer is lost, the next look sees what it did
        answer = await self._post(f"/settings/{module.settings}/forms/{form}/fields", body)
        if answer.status in _REFUSED:
            found = self._existing(change, await self._metadata.fields(module), body, label)
            if found is not None:
                return await self._with_advice(found, module)
            return ChangeResult(change=change, manual=self._by_hand(answer, todo))
        made = answer.decode(wire.FIELD).field
        self._metadata.learn(module, [*fields, made], [*forms, wire.Form(id=form, fields=[made])])
        return ChangeResult(change=change, api_name=made.name, id=str(made.id or ""), advice=_advice(change, module))

    async def _with_advice(self, existing: ChangeResult, module: Module) -> ChangeResult:
        """A field that is there, with what an administrator has still to do about it."""
        advice = _advice(existing.change, module) if existing.api_name else ""
        if not advice or existing.api_name in await self._metadata.unique_fields(module):
            return existing
        return existing.model_copy(update={"advice": advice})

    async def _module_for(self, key: str, names: Mapping[str, str]) -> Module:
        name = names.get(key, key)
        found = _SETTINGS.get(name) or modules.module_of(name)
        if found is None or (found.custom and name not in [one.entity_name for one in await self._customs()]):
            raise ContractBroken(f"the module {name[:60]} does not exist", code="NO_MODULE")
        return found

    async def _customs(self) -> list[wire.CustomModule]:
        return await self._metadata.custom_modules()

    def _existing(
        self, change: SchemaChange, fields: Sequence[wire.Field], body: Mapping[str, Any], label: str
    ) -> ChangeResult | None:
        """The field that already serves, an instruction when one of that label does not, None when free."""
        wanted = {label.casefold(), change.name.casefold(), derived_name(label)}
        found = [one for one in fields if {(one.label or "").strip().casefold(), one.name.casefold()} & wanted]
        found.sort(key=lambda one: not one.is_custom)
        for one in found:
            if one.type == body["type"] or one.type in _SERVES.get(body["type"], ()):
                return ChangeResult(change=change, api_name=one.name, id=str(one.id or ""), existed=True)
        if not found:
            return None
        text = (
            f"{change.object}.{found[0].name} exists as {found[0].type} and cannot serve as {body['type']}: "
            "rename or remove it, or map to another field."
        )
        return ChangeResult(change=change, manual=text)

    async def _options(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        """Options of a dropdown can be added by an administrator only (no such call is known)."""
        module = await self._module_for(change.object, names)
        name = names.get(f"{change.object}.{change.name}") or change.name
        field = next((one for one in await self._metadata.fields(module) if one.name == name), None)
        if field is None:
            raise ContractBroken(f"{module.name} has no field {name[:60]}", code="NO_FIELD")
        listed = {(one.value or "").strip().casefold() for one in field.choices or ()}
        lacking = [value for value in values_of(change) if value.strip().casefold() not in listed]
        done = ChangeResult(change=change, api_name=field.name, id=str(field.id or ""), existed=True)
        if not lacking:
            return done
        todo = f"add to the dropdown “{field.label}” of {module.name}: {', '.join(lacking)}"
        manual = _instruction("options cannot be added by API", todo)
        return done.model_copy(update={"existed": False, "manual": manual})

    async def _stages(self, change: SchemaChange) -> ChangeResult:
        """Pipelines and stages are an administrator's (ruling 19)."""
        pipeline = str(change.attributes.get("pipeline") or "")
        chosen = [one for one in await self._metadata.pipelines() if not pipeline or one.name == pipeline]
        if not pipeline:
            chosen = [one for one in chosen if one.is_default] or chosen[:1]
        listed = {stage.name.strip().casefold() for one in chosen for stage in one.deal_stages if not stage.is_deleted}
        lacking = [name for name in values_of(change) if name.strip().casefold() not in listed]
        if not lacking:
            return ChangeResult(change=change, api_name="deal_stage_id", existed=True)
        described = [_stage_text(change, name) for name in lacking]
        todo = f"add these stages to the pipeline “{pipeline or 'default'}”: {', '.join(described)}"
        if not chosen:
            todo = f"make the pipeline “{pipeline}” with these stages: {', '.join(described)}"
        manual = _instruction("pipelines and stages cannot be made by API", todo)
        return ChangeResult(change=change, api_name="deal_stage_id", manual=manual)

    async def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return await self._api.request(
            "POST",
            path,
            purpose="provision",
            writing=True,
            content=msgspec.json.encode(body),
            headers=JSON,
            accept=_REFUSED,
        )

    def _by_hand(self, answer: Answer, todo: str) -> str:
        return _instruction(self._api.refusal(answer).detail.removeprefix("provision: ")[:200], todo)


def _form(forms: Sequence[wire.Form]) -> str | None:
    active = [form for form in forms if form.active is not False] or forms
    return str(active[0].id) if active else None


def entity_name(key: str) -> str:
    """The entity name of a custom module: `cm_` and lower-case words."""
    text = re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")
    return (text if text.startswith("cm_") else f"cm_{text}")[:60]


def clean_label(text: str) -> str:
    return " ".join(text.split())[:_LABEL_LENGTH]


def derived_name(label: str) -> str:
    """The name that the vendor's rule makes of a label; only to recognise a field, never to write with it."""
    return "cf_" + re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def field_body(change: SchemaChange, label: str, names: Mapping[str, str]) -> dict[str, Any]:
    """A create call's body. Type words and not the integer codes, which no source knows (section 19 item 10)."""
    kind = FieldType(str(change.attributes.get("type") or FieldType.TEXT))
    word = _WORDS.get(kind, "text")
    length = change.attributes.get("length")
    options = values_of(change)
    if word == "text" and isinstance(length, int) and length > modules.TEXT_LENGTH:
        word = "textarea"
    if word in ("dropdown", "multi_select_dropdown") and not 0 < len(options) <= _MOST_CHOICES:
        word = "text"
    body: dict[str, Any] = {"label": label, "type": word, "required": False, "visible": True}
    if word in ("dropdown", "multi_select_dropdown"):
        body["choices"] = [{"value": value} for value in options]
    if word == "lookup":
        target = str(change.attributes.get("references") or "")
        name = names.get(target, target)
        body["lookup_entity"] = _SINGULAR.get(name, name)
    return body


def values_of(change: SchemaChange) -> list[str]:
    """The texts that a change lists; entries may be texts or objects with a name or value."""
    for key in ("stages", "picklist", "values"):
        listed = change.attributes.get(key)
        if isinstance(listed, list):
            found = [one.get("name") or one.get("value") if isinstance(one, dict) else one for one in listed]
            return list(dict.fromkeys(str(one) for one in found if one))
    return []


def _stage_text(change: SchemaChange, name: str) -> str:
    listed = change.attributes.get("stages")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    row = next((one for one in rows if one.get("name") == name), {})
    told = [f"{row['probability']} %"] if isinstance(row.get("probability"), int) else []
    told += [str(row["forecast"])] if row.get("forecast") else []
    return f"{name} ({', '.join(told)})" if told else name


def _named(listed: Sequence[wire.CustomModule], entity: str, plural: str) -> wire.CustomModule | None:
    for one in listed:
        if one.entity_name == entity or (one.plural_name or "").strip().casefold() == plural.casefold():
            return one
    return None


def _advice(change: SchemaChange, module: Module) -> str:
    """Unique flags are an administrator's setting (section 14); with one, records go in bulk instead of one by one."""
    if not (change.attributes.get("unique") or change.attributes.get("external")) or not module.bulk:
        return ""
    if module.name == "deals":  # no unique fields are listed for deals
        return ""
    return f"Make “{change.label or change.name}” of {module.name} unique: records are then written in bulk."


def _instruction(reason: str, todo: str) -> str:
    return f"Freshsales did not take this by API ({reason}). An administrator must {todo}, then check again."
