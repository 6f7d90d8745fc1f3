"""An administrator who changes the schema while somebody is writing, and who puts everything back when asked to.

Nothing of this is in the store: what is taken away comes back with the data that the records still hold.
"""

from collections.abc import Callable, Iterator
from typing import Any

from connectors.zoho_crm.sandbox.answers import Json
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module, Option

_FIXED = frozenset({"subform", "autonumber", "formula", "rollup_summary"})


def change_schema(crm: Crm, body: Json) -> Json:
    """One change of the kind `how`: field_gone, module_gone, options_gone or field_required.

    What it strikes is the custom thing number `draw`, counted round; fields that are unique or listed in `spare` are
    left alone, `modules` narrows the choice. KeyError for an unknown kind, or where there is nothing to change.
    """
    changes: dict[str, Callable[[Crm, Json], Json]] = {
        "field_gone": _withdraw_field,
        "module_gone": _withdraw_module,
        "options_gone": _narrow,
        "field_required": _require,
    }
    return {"how": body["how"], **changes[body["how"]](crm, body)}


def restore_schema(crm: Crm, _: Json) -> Json:
    """Undoes every change, the latest first; how many there were."""
    number = len(crm.disturbances)
    while crm.disturbances:
        crm.disturbances.pop()()
    return {"restored": number}


def _chosen(found: list[Any], body: Json) -> Any:
    if not found:
        raise KeyError("nothing of this kind to change")
    return found[int(body.get("draw", 0)) % len(found)]


def _fields(crm: Crm, body: Json) -> Iterator[tuple[Module, Field]]:
    """Custom fields by module and name, without keys and what nobody writes."""
    spare, only = set(body.get("spare", ())), body.get("modules")
    for name, module in sorted(crm.schema.modules.items()):
        if only is not None and name not in only:
            continue
        for field in sorted(module.fields.values(), key=lambda one: one.api_name):
            keyed = field.unique or field.external is not None or field.api_name in spare
            if field.custom and not keyed and not field.read_only and field.data_type not in _FIXED:
                yield module, field


def _withdraw_field(crm: Crm, body: Json) -> Json:
    module, field = _chosen(list(_fields(crm, body)), body)
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
    module: Module = _chosen(custom, body)
    del crm.schema.modules[module.api_name]

    def undo() -> None:
        crm.schema.modules[module.api_name] = module
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name}


def _narrow(crm: Crm, body: Json) -> Json:
    """Only the first option stays; one that is written meanwhile is added as the vendor does it, and goes again."""
    module, field = _chosen([one for one in _fields(crm, body) if len(one[1].options) > 1], body)
    before: list[Option] = field.options
    field.options = before[:1]

    def undo() -> None:
        field.options = before
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name, "field": field.api_name}


def _require(crm: Crm, body: Json) -> Json:
    module, field = _chosen([one for one in _fields(crm, body) if not one[1].mandatory], body)
    field.mandatory = True

    def undo() -> None:
        field.mandatory = False
        crm.schema.save(module)

    crm.disturbances.append(undo)
    return {"module": module.api_name, "field": field.api_name}
