"""What a plan of the destination allows, as predicates that report, provisioning and run share."""

from collections import Counter
from collections.abc import Mapping

from pydantic import JsonValue

from app.domain.mapping import MappingDocument, NewField
from app.domain.provisioning import find_object, keyed_objects, missing_fields, missing_objects
from app.domain.schema import FieldSpec, FieldType, Frozen, Inventory


class EditionFacts(Frozen):
    """Caps of one plan of the destination; None means no known limit. Counts are per account or per object.

    `fields_by_kind` caps the custom fields of an object by `kind_of`; `storage_per_user` are bytes of files.
    """

    name: str
    api_access: bool = True
    custom_objects: int | None = None
    custom_fields: int | None = None
    unique_fields: int | None = 2
    fields_by_kind: dict[str, int] = {}
    storage_per_user: int | None = None


_KINDS = {
    FieldType.TEXTAREA: "textarea",
    FieldType.PICKLIST: "dropdown",
    FieldType.MULTIPICKLIST: "multi_select_dropdown",
    FieldType.BOOLEAN: "checkbox",
    FieldType.LOOKUP: "lookup",
    **dict.fromkeys((FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT), "number"),
    **dict.fromkeys((FieldType.DATE, FieldType.DATETIME), "date"),
}


def kind_of(field: NewField | FieldSpec) -> str:
    """The kind under which plans count a custom field; what is none of the others counts as text."""
    if field.type is FieldType.TEXT and (field.length or 0) > 256:
        return "textarea"
    return _KINDS.get(field.type, "text")


class KindUsage(Frozen):
    """Custom fields of one kind on one object: existing, to be added, and the plan's cap."""

    object: str
    kind: str
    existing: int
    added: tuple[str, ...]
    cap: int

    @property
    def over(self) -> int:
        return max(0, self.existing + len(self.added) - self.cap)


class FieldUsage(Frozen):
    """Custom fields of one object: existing, to be added, and the plan's cap (None: no known limit)."""

    object: str
    existing: int
    added: int
    cap: int | None
    unique_free: int | None
    unique_needed: int

    @property
    def over(self) -> int:
        """How many fields do not fit."""
        return 0 if self.cap is None else max(0, self.existing + self.added - self.cap)

    @property
    def unique_short(self) -> bool:
        return self.unique_free is not None and self.unique_needed > self.unique_free


def edition_facts(name: str, api_access: bool, facts: Mapping[str, JsonValue]) -> EditionFacts:
    """Caps from a manifest's edition facts: custom_modules, custom_fields (per object), unique_fields (per object),
    custom_fields_by_type (per object and kind), storage_per_user (bytes).

    `custom_modules` may be True (offered, number unknown) or False (not offered).
    """
    kinds = facts.get("custom_fields_by_type")
    return EditionFacts(
        name=name,
        api_access=api_access,
        custom_objects=_cap(facts.get("custom_modules")),
        custom_fields=_cap(facts.get("custom_fields")),
        unique_fields=_cap(facts.get("unique_fields", 2)),
        fields_by_kind={key: cap for key, one in kinds.items() if (cap := _cap(one)) is not None}
        if isinstance(kinds, dict)
        else {},
        storage_per_user=_cap(facts.get("storage_per_user")),
    )


def _cap(value: JsonValue) -> int | None:
    if value is False:
        return 0
    return int(value) if isinstance(value, int | float) and value is not True else None


def _slots(destination: Inventory, name: str) -> Mapping[str, JsonValue]:
    """What the account itself says is left on an object: fact `slots`, by object: {"unique": n, "custom": n}."""
    slots = destination.facts.get("slots")
    found = slots.get(name) if isinstance(slots, dict) else None
    return found if isinstance(found, dict) else {}


def field_usage(document: MappingDocument, destination: Inventory, edition: EditionFacts) -> tuple[FieldUsage, ...]:
    """Custom fields and unique slots per destination object that the document writes."""
    added = Counter(field.object for field in missing_fields(document, destination))
    unique = Counter(field.object for field in missing_fields(document, destination) if field.unique or field.external)
    usage = []
    for name in dict.fromkeys((*keyed_objects(document), *added)):
        spec = find_object(document, destination, name)
        fields = spec.fields if spec else ()
        existing = sum(1 for field in fields if field.custom)
        taken = sum(1 for field in fields if field.custom and (field.unique or field.external_id))
        free = None if edition.unique_fields is None else max(0, edition.unique_fields - taken)
        slots = _slots(destination, spec.name) if spec else {}
        told, left = _cap(slots.get("unique")), _cap(slots.get("custom"))
        usage.append(
            FieldUsage(
                object=name,
                existing=existing,
                added=added[name],
                cap=edition.custom_fields if left is None else existing + left,
                unique_free=free if told is None else told,
                unique_needed=unique[name],
            )
        )
    return tuple(usage)


def kind_usage(document: MappingDocument, destination: Inventory, edition: EditionFacts) -> tuple[KindUsage, ...]:
    """Kinds of custom fields that the document adds to, per object, where the plan caps them."""
    added: dict[tuple[str, str], list[str]] = {}
    for field in missing_fields(document, destination):
        added.setdefault((field.object, kind_of(field)), []).append(field.key)
    usage = []
    for (name, kind), keys in added.items():
        cap = edition.fields_by_kind.get(kind)
        if cap is None:
            continue
        spec = find_object(document, destination, name)
        existing = sum(1 for one in spec.fields if one.custom and kind_of(one) == kind) if spec else 0
        usage.append(KindUsage(object=name, kind=kind, existing=existing, added=tuple(keys), cap=cap))
    return tuple(usage)


def storage_of(destination: Inventory, edition: EditionFacts) -> int | None:
    """Bytes of files that the account may hold under a plan: a share for each active user. None: not known."""
    users = sum(1 for user in destination.users if user.active)
    return None if edition.storage_per_user is None or not users else edition.storage_per_user * users


def custom_objects_needed(document: MappingDocument, destination: Inventory) -> int:
    """Custom objects that would exist after provisioning."""
    existing = sum(1 for spec in destination.objects if spec.custom)
    return existing + len(missing_objects(document, destination))


def custom_objects_fit(document: MappingDocument, destination: Inventory, edition: EditionFacts) -> bool:
    """Whether the plan offers the custom objects; without any to create it always does."""
    if edition.custom_objects is None or not missing_objects(document, destination):
        return True
    return custom_objects_needed(document, destination) <= edition.custom_objects


def edition_fits(document: MappingDocument, destination: Inventory, edition: EditionFacts) -> bool:
    """Whether everything the document needs can be created under the plan."""
    return (
        edition.api_access
        and custom_objects_fit(document, destination, edition)
        and not any(one.over for one in field_usage(document, destination, edition))
        and not any(one.over for one in kind_usage(document, destination, edition))
    )
