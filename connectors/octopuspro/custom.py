"""A tenant's custom fields: typed by the inventory that comes with the export, by their rows where it is missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.schema import FieldType, Record
from connectors.column_votes import ColumnProfile
from connectors.exportkit.catalogue import TableField, TableObject, fold
from connectors.exportkit.columns import Value

_APPLIES = {"customer": "customers", "customers": "customers", "booking": "bookings", "bookings": "bookings"}
_TYPES: Mapping[str, FieldType] = {
    "text": FieldType.TEXT, "shorttext": FieldType.TEXT, "string": FieldType.TEXT,
    "textarea": FieldType.TEXTAREA, "longtext": FieldType.TEXTAREA, "paragraph": FieldType.TEXTAREA,
    "number": FieldType.DECIMAL, "decimal": FieldType.DECIMAL, "currency": FieldType.CURRENCY,
    "date": FieldType.DATE, "datetime": FieldType.DATETIME, "time": FieldType.TEXT,
    "dropdown": FieldType.PICKLIST, "select": FieldType.PICKLIST, "picklist": FieldType.PICKLIST,
    "radio": FieldType.PICKLIST,
    "multiselect": FieldType.MULTIPICKLIST, "checkboxes": FieldType.MULTIPICKLIST,
    "checkboxlist": FieldType.MULTIPICKLIST, "tags": FieldType.MULTIPICKLIST,
    "checkbox": FieldType.BOOLEAN, "yesno": FieldType.BOOLEAN, "boolean": FieldType.BOOLEAN,
    "email": FieldType.EMAIL, "phone": FieldType.PHONE, "url": FieldType.URL,
    "signature": FieldType.FILE,
    # Images come as addresses, several on lines of their own: text, so that each stays a link.
    "image": FieldType.TEXTAREA, "images": FieldType.TEXTAREA, "photo": FieldType.TEXTAREA,
    "photos": FieldType.TEXTAREA, "file": FieldType.TEXTAREA, "upload": FieldType.TEXTAREA,
}  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """One line of the inventory."""

    name: str
    type: FieldType
    options: tuple[str, ...] = ()


class Inventory:
    """Custom fields by object and folded name."""

    def __init__(self) -> None:
        self._listed: dict[tuple[str, str], Listed] = {}
        self._seen: set[tuple[str, str]] = set()
        self.signatures: list[str] = []
        self.present = False

    def add(self, line: Record) -> None:
        """A line of the `custom_fields` table; lines of other objects, or of unknown types, say nothing."""
        self.present = True
        target = _APPLIES.get(fold(str(line.get("applies_to", ""))))
        name, type_ = str(line.get("name", "")), _TYPES.get(fold(str(line.get("type", ""))))
        if target and name and type_:
            self._listed[target, fold(name)] = Listed(name, type_, split_options(str(line.get("options", ""))))

    def field(self, obj: TableObject, profile: ColumnProfile) -> TableField | None:
        """The field of a column that the catalogue does not know; None where the inventory does not know it either."""
        heading = profile.label or profile.name
        listed = self._listed.get((obj.name, fold(heading)))
        self._seen.add((obj.name, fold(heading)))
        signature = listed.type is FieldType.FILE if listed else fold(heading).endswith("signature")
        if signature:
            self.signatures.append(f"{obj.name}.{heading}")
        elif listed is None:
            return None
        name = re.sub(r"\W+", "_", heading).strip("_") or "custom"
        if signature or listed is None:
            return TableField(name, heading, FieldType.FILE)
        separator = next((one for one in (";", "|") if any(one in value for value in profile.values)), ",")
        return TableField(name, heading, listed.type, separator=separator, options=listed.options)

    def reader(self, obj: TableObject, field: TableField, profile: ColumnProfile) -> Value | None:
        """Signatures leave a word that there is one, choices of several are split where the options allow it."""
        if field.type is FieldType.FILE:
            return lambda cell: "captured" if cell.strip() else None
        listed = self._listed.get((obj.name, fold(profile.label or profile.name)))
        if listed is None or listed.type is not FieldType.MULTIPICKLIST:
            return None
        known = {option.casefold() for option in listed.options}
        return lambda cell: split_choices(cell, known) or None

    def without_column(self) -> list[str]:
        """Fields of the inventory that no column of the export holds."""
        return [f"{obj}.{one.name}" for (obj, name), one in self._listed.items() if (obj, name) not in self._seen]


def split_options(text: str) -> tuple[str, ...]:
    """Options of one cell, whatever stands between them."""
    separator = next((one for one in ("|", ";", "\n") if one in text), ",")
    return tuple(part for one in text.split(separator) if (part := one.strip()))


def split_choices(cell: str, known: set[str]) -> list[str]:
    """Choices of one cell; commas separate only where every part is an option, since options may hold commas."""
    text = cell.strip().removeprefix("[").removesuffix("]").replace('"', "")
    for separator in (";", "|", "\n"):
        if separator in text:
            return list(dict.fromkeys(part for one in text.split(separator) if (part := one.strip())))
    parts = [part for one in text.split(",") if (part := one.strip())]
    if known and text.casefold() not in known and all(part.casefold() in known for part in parts):
        return list(dict.fromkeys(parts))
    return [text] if text else []
