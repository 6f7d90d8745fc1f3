"""Tables of other make that an export brings along: lists of conditions or medications without ids, for example."""

import re

from app.domain.schema import FieldType as T
from connectors.clinic.columns import PATIENT
from connectors.exportkit.catalogue import TableField, TableObject, fold
from connectors.exportkit.columns import free_name
from connectors.table_files import StoredTable

_PATIENT = frozenset(fold(one) for one in PATIENT.split(","))


def foreign_object(stored: StoredTable) -> TableObject | None:
    """An object whose rows are told apart by all that stands in them; None for a table without columns.

    Everything in it is guarded: nobody knows what it holds. A column such as "Patient" points to patients.
    """
    fields: dict[str, TableField] = {}
    for profile in stored.profile.columns:
        heading = profile.label or profile.name
        if fold(heading) in _PATIENT and "patient_id" not in fields:
            fields["patient_id"] = TableField("patient_id", heading, T.LOOKUP, (heading,), references="patients")
        else:
            name = free_name(profile.name, fields)
            fields[name] = TableField(name, heading, headings=(heading,), sensitive=True)
    stem = re.sub(r"\W+", "_", stored.stem).strip("_") or "table"
    return TableObject(stem, stored.stem, tuple(fields.values()), or_key=tuple(fields)) if fields else None
