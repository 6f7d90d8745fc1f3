"""A new destination field for a source field that has no counterpart: its label, type, length and rule."""

import re
from collections.abc import Iterable

from app.domain.mapping import FieldRule, Load, LoadMode, LookupRule, NewField, Origin, Reason
from app.domain.matching.types import TRANSFORM_OF
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec

LABEL_LENGTH = 25
_SMALL, _LARGE = 2_000, 32_000


class NewNames:
    """Labels and keys that are free on one destination object."""

    def __init__(self, target: str, planned: Iterable[NewField], existing: ObjectSpec | None) -> None:
        self.target = target
        mine = [one for one in planned if one.object == target]
        self._labels = {one.label.casefold() for one in mine}
        self._keys = {one.key.casefold() for one in mine}
        for spec in existing.fields if existing else ():
            self._labels |= {spec.label.casefold(), spec.name.replace("_", " ").casefold()}

    def take(self, spec: FieldSpec) -> tuple[str, str]:
        """A free (label, key) for a source field: letters, digits and blanks (Zoho fact sheet section 7)."""
        bare = spec.label or re.sub(r"__c$", "", spec.name)
        # A label in another script has no letters an API name could be made of; the field's own name has.
        words = _plain(bare) or _plain(re.sub(r"__c$", "", spec.name)) or "Field"
        if not words[0].isalpha():
            words = f"Field {words}"
        number = 1
        while True:
            ending = "" if number == 1 else f" {number}"
            label = words[: LABEL_LENGTH - len(ending)].rstrip() + ending
            key = f"{label.replace(' ', '_')}__c"
            if label.casefold() not in self._labels and key.casefold() not in self._keys:
                self._labels.add(label.casefold())
                self._keys.add(key.casefold())
                return label, key
            number += 1


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^A-Za-z0-9]+", " ", text).split())


def keep(spec: FieldSpec, names: NewNames, loads: Iterable[Load], source: Inventory) -> tuple[NewField, FieldRule]:
    """A planned field on `names.target` that holds the values of `spec` without loss, and the rule that fills it."""
    label, key = names.take(spec)
    wanted = [load for load in loads if load.mode is LoadMode.CREATE and load.source_object in spec.references]
    path, kind, lookup = spec.name, _kind(spec), None
    if spec.type is FieldType.LOOKUP and wanted and len({load.target_object for load in wanted}) == 1:
        kind, lookup = FieldType.LOOKUP, LookupRule(loads=tuple(load.key for load in wanted))
    elif spec.type in {FieldType.USER, FieldType.LOOKUP}:
        path = _readable_path(spec, source)
    field = NewField(
        object=names.target,
        key=key,
        label=label,
        type=kind,
        length=_length(kind, spec),
        scale=_scale(kind, spec),
        picklist=tuple(dict.fromkeys(option.value for option in spec.picklist if option.value))
        if kind in {FieldType.PICKLIST, FieldType.MULTIPICKLIST}
        else (),
        references=wanted[0].target_object if lookup else "",
    )
    return field, _rule(spec, key, path, kind, lookup)


def _rule(spec: FieldSpec, key: str, path: str, kind: FieldType, lookup: LookupRule | None) -> FieldRule:
    text = f"No field of the destination matches {spec.label or spec.name}; a field of its own keeps the value."
    return FieldRule(
        target=key,
        sources=(path,),
        transform="copy" if lookup else TRANSFORM_OF.get(kind, "text"),
        args={"truncate": True} if kind in {FieldType.TEXT, FieldType.TEXTAREA} else {},
        lookup=lookup,
        sensitive=spec.sensitive,
        origin=Origin.MATCHED,
        probability=0.9,
        reasons=(Reason(code="kept", text=text, weight=0.9),),
    )


def _readable_path(spec: FieldSpec, source: Inventory) -> str:
    """The name of the record that is referred to, where it can be followed; an id of the source means nothing there."""
    names = spec.references or (("User",) if spec.type is FieldType.USER else ())
    has_name = len(names) == 1 and (target := source.object(names[0])) is not None and target.field("Name") is not None
    return f"{spec.name}.Name" if has_name and spec.references else spec.name


def _kind(spec: FieldSpec) -> FieldType:
    if spec.type is FieldType.TEXT and (spec.length or 0) > 255:
        return FieldType.TEXTAREA
    if spec.type is FieldType.INTEGER and (spec.length or 0) > 9:
        return FieldType.DECIMAL
    if spec.type in {FieldType.PICKLIST, FieldType.MULTIPICKLIST}:
        return spec.type if spec.picklist else FieldType.TEXT
    if spec.type is FieldType.PERCENT:
        return FieldType.DECIMAL
    as_text = {FieldType.LOOKUP, FieldType.USER, FieldType.AUTONUMBER, FieldType.TIME, FieldType.ID}
    return FieldType.TEXT if spec.type in as_text else spec.type


def _length(kind: FieldType, spec: FieldSpec) -> int | None:
    """Lengths that Zoho takes by type (Zoho fact sheet section 7)."""
    if kind is FieldType.TEXTAREA:
        return _SMALL if 0 < (spec.length or 0) <= _SMALL else _LARGE
    fixed = {
        FieldType.TEXT: 255, FieldType.EMAIL: 100, FieldType.PHONE: 30, FieldType.URL: 450, FieldType.INTEGER: 9,
        FieldType.DECIMAL: 16, FieldType.CURRENCY: 16,
    }  # fmt: skip
    return fixed.get(kind)


def _scale(kind: FieldType, spec: FieldSpec) -> int | None:
    if kind not in {FieldType.DECIMAL, FieldType.CURRENCY}:
        return None
    return min(9, 2 if spec.scale is None else spec.scale)
