"""What an administrator changes in this vendor's schema while somebody is writing, each change with its undoing."""

from collections.abc import Iterator

from connectors.freshsales.sandbox.answers import Json
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.schema import Field, Module
from connectors.sandboxkit.disturbing import Changes, chosen, disturb


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
        for field in sorted(module.fields.values(), key=lambda one: one.name):
            keyed = field.unique or field.name in spare
            if field.custom and not field.read_only and (not keyed if named is None else field.name == named):
                yield module, field


def _withdraw_field(crm: Crm, body: Json) -> Json:
    module, field = chosen(list(_fields(crm, body)), body)
    del module.fields[field.name]
    crm.disturbances.append(lambda: module.fields.__setitem__(field.name, field))
    return {"module": module.name, "field": field.name}


def _withdraw_module(crm: Crm, body: Json) -> Json:
    only = body.get("modules")
    custom = [
        one for name, one in sorted(crm.schema.modules.items()) if one.custom is not None and (not only or name in only)
    ]
    module: Module = chosen(custom, body)
    del crm.schema.modules[module.name]
    crm.disturbances.append(lambda: crm.schema.modules.__setitem__(module.name, module))
    return {"module": module.name}


def _narrow(crm: Crm, body: Json) -> Json:
    """Only the first choice stays."""
    module, field = chosen([one for one in _fields(crm, body) if len(one[1].choices) > 1], body)
    before = field.choices
    field.choices = before[:1]
    crm.disturbances.append(lambda: setattr(field, "choices", before))
    return {"module": module.name, "field": field.name}


def _require(crm: Crm, body: Json) -> Json:
    module, field = chosen([one for one in _fields(crm, body) if not one[1].required], body)
    field.required = True
    crm.disturbances.append(lambda: setattr(field, "required", False))
    return {"module": module.name, "field": field.name}
