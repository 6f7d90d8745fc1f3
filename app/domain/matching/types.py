"""The transform that turns any value into one of a destination field's type."""

from app.domain.schema import FieldType

TRANSFORM_OF = {
    FieldType.EMAIL: "email",
    FieldType.PHONE: "phone",
    FieldType.INTEGER: "integer",
    FieldType.DECIMAL: "number",
    FieldType.CURRENCY: "currency",
    FieldType.PERCENT: "percent",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.PICKLIST: "picklist",
    FieldType.MULTIPICKLIST: "multipicklist",
}
