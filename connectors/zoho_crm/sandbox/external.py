"""Addressing records by external values: the X-EXTERNAL header (Zoho fact sheet section 12)."""

from starlette.requests import Request

from connectors.zoho_crm.sandbox.answers import Refusal
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.schema import Field, Module
from connectors.zoho_crm.sandbox.values import as_id, fold


def _bad_header() -> Refusal:
    return Refusal(400, "INVALID_DATA", "The value of the external field is invalid.", {"header_name": "X-EXTERNAL"})


def external_header(crm: Crm, module: Module, request: Request) -> tuple[Field | None, dict[str, Field]]:
    """The field that stands in for `id` (`Module.Field`) and those that address lookups (`Module.Lookup.Field`)."""
    own: Field | None = None
    lookups: dict[str, Field] = {}
    for part in request.headers.get("X-EXTERNAL", "").split(","):
        words = part.strip().split(".")
        if words == [""]:
            continue
        if words[0] != module.api_name or len(words) not in (2, 3):
            raise _bad_header()
        if len(words) == 2:
            own = _external_field(module, words[1])
            continue
        lookup = module.fields.get(words[1])
        target = crm.schema.modules.get(lookup.lookup or "") if lookup is not None else None
        if target is None:
            raise _bad_header()
        lookups[words[1]] = _external_field(target, words[2])
    return own, lookups


def _external_field(module: Module, name: str) -> Field:
    found = module.fields.get(name)
    if found is None or not found.external:
        raise _bad_header()
    return found


def addressed_id(crm: Crm, module: Module, request: Request, *, missing_ok: bool = False) -> int | None:
    """The record id a path is about: the id itself, or the holder of the external value named by the header."""
    text = request.path_params["id"]
    own, _ = external_header(crm, module, request)
    if own is not None:
        held = crm.store.keyed(own.id, [fold(text)])
        if not held and not missing_ok:
            raise Refusal(
                400, "INVALID_DATA", "The value of the external field is invalid.", {"api_name": own.api_name}
            )
        return next(iter(held.values()), None)
    found = as_id(text)
    if found is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    return found
