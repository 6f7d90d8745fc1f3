"""The bench's export: its files, their keys and the canonical types of their columns."""

from app.domain.schema import FieldSpec, FieldType, ObjectSpec

KINDS = FieldType

SOURCES: dict[str, tuple[str, dict[str, FieldType]]] = {
    "clients": (
        "client_id",
        {
            "client_name": KINDS.TEXT,
            "phone": KINDS.PHONE,
            "email": KINDS.EMAIL,
            "street": KINDS.TEXT,
            "city": KINDS.TEXT,
            "state": KINDS.TEXT,
            "zip": KINDS.TEXT,
            "country": KINDS.PICKLIST,
            "status": KINDS.PICKLIST,
            "since": KINDS.DATE,
            "credit_limit": KINDS.CURRENCY,
            "vip": KINDS.PICKLIST,
            "notes": KINDS.TEXTAREA,
        },
    ),
    "contacts": (
        "contact_id",
        {
            "client_id": KINDS.LOOKUP,
            "first_name": KINDS.TEXT,
            "last_name": KINDS.TEXT,
            "email": KINDS.EMAIL,
            "phone": KINDS.PHONE,
            "title": KINDS.TEXT,
            "is_primary": KINDS.PICKLIST,
            "created": KINDS.DATE,
        },
    ),
    "work_orders": (
        "wo_id",
        {
            "client_id": KINDS.LOOKUP,
            "contact_id": KINDS.LOOKUP,
            "title": KINDS.TEXT,
            "status": KINDS.PICKLIST,
            "priority": KINDS.PICKLIST,
            "price": KINDS.CURRENCY,
            "scheduled": KINDS.DATE,
            "completed": KINDS.DATE,
            "technician": KINDS.TEXT,
            "wo_type": KINDS.TEXT,
            "created_at": KINDS.DATETIME,
            "description": KINDS.TEXTAREA,
        },
    ),
    "assets": (
        "asset_id",
        {
            "client_id": KINDS.LOOKUP,
            "serial": KINDS.TEXT,
            "manufacturer": KINDS.TEXT,
            "model": KINDS.TEXT,
            "installed": KINDS.DATE,
            "warranty_until": KINDS.DATE,
            "status": KINDS.PICKLIST,
        },
    ),
    "service_history": (
        "history_id",
        {
            "asset_id": KINDS.LOOKUP,
            "wo_id": KINDS.LOOKUP,
            "service_date": KINDS.DATE,
            "technician": KINDS.TEXT,
            "labor_hours": KINDS.DECIMAL,
            "parts_cost": KINDS.CURRENCY,
            "notes": KINDS.TEXTAREA,
        },
    ),
}
"""Source object → its key and the canonical types of its columns."""


def source_objects() -> dict[str, ObjectSpec]:
    """The export's files as a source describes them."""
    return {
        name: ObjectSpec(
            name=name,
            fields=(
                FieldSpec(name=key, type=KINDS.ID, primary_key=True),
                *(FieldSpec(name=column, type=kind) for column, kind in columns.items()),
            ),
        )
        for name, (key, columns) in SOURCES.items()
    }
