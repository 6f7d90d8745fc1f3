"""What an administrator changes in this vendor's schema while somebody is writing, each change with its undoing."""

from collections.abc import Iterator

from connectors.sandboxkit.disturbing import Changes, chosen, disturb
from connectors.zoho_crm.sandbox.answers import Json
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module, Option

_FIXED = frozenset({"subform", "autonumber", "formula", "rollup_summary"})


def change_schema(crm: Crm, body: Json) -> Json:
    """One change as the kit names them. KeyError for an unknown kind, or where there is nothing to change."""
    changes: Changes[Crm] = {
        "field_gone": _withdraw_field,
        "module_gone": _withdraw_module,
        "options_gone": _narrow,
        "field_required": _require,
    }
    return disturb(crm, body, changes)


def _fields(crm: Crm, body: Json) -> Iterator[tuple[Module, Field]]:
    """Custom fields by module and name, without keys and what nobody writes; or the one that is named."""
    spare, only, named = set(body.get("spare", ())), body.get("modules"), body.get("field")
    for name, module in sorted(crm.schema.modules.items()):
        if only is not None and name not in only:
            continue
        for field in sorted(module.fields.values(), key=lambda one: one.api_name):
            keyed = field.unique or field.external is not None or field.api_name in spare
            writable = field.custom and not field.read_only and field.data_type not in _FIXED
            if writable and (not keyed if named is None else field.api_name == named):
                yield module, field


def _withdraw_field(crm: Crm, body: Json) -> Json:
    module, field = chosen(list(_fields(crm, body)), body)
    del module.fields[field.api_name]

    def undo() -> None:
        module.fields[field.api_name] = field
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name, "field": field.api_name}


def _withdraw_module(crm: Crm, body: Json) -> Json:
    only = body.get("modules")
    custom = [
        one for name, one in sorted(crm.schema.modules.items()) if one.kind == "custom" and (not only or name in only)
    ]
    module: Module = chosen(custom, body)
    del crm.schema.modules[module.api_name]

    def undo() -> None:
        crm.schema.modules[module.api_name] = module
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name}


def _narrow(crm: Crm, body: Json) -> Json:
    """Only the first option stays; one that is written meanwhile is added as the vendor does it, and goes again."""
    module, field = chosen([one for one in _fields(crm, body) if len(one[1].options) > 1], body)
    before: list[Option] = field.options
    field.options = before[:1]

    def undo() -> None:
        field.options = before
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name, "field": field.api_name}


def _require(crm: Crm, body: Json) -> Json:
    module, field = chosen([one for one in _fields(crm, body) if not one[1].mandatory], body)
    field.mandatory = True

    def undo() -> None:
        field.mandatory = False
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name, "field": field.api_name}
