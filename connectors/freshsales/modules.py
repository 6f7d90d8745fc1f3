"""The objects of Freshsales: where their calls are, under which names, and what cannot be learnt from its metadata.

Logical object names are the plural names of the API; custom modules are called by their entity name (`cm_…`).
"""

from dataclasses import dataclass

from app.domain.schema import FieldSpec, FieldType, ObjectSpec, PicklistValue


@dataclass(frozen=True, slots=True)
class Module:
    """One kind of record. `views` together hold every live record; `bulk` and `upsert` say which calls there are."""

    name: str
    path: str
    singular: str
    model: str = ""
    views: tuple[str, ...] = ()
    bulk: bool = False
    custom: bool = False
    upsert: bool = False

    @property
    def settings(self) -> str:
        """The module's part in the path of settings calls."""
        return self.name


CONTACTS = Module("contacts", "/contacts", "contact", "Contact", ("All Contacts",), bulk=True)
ACCOUNTS = Module("sales_accounts", "/sales_accounts", "sales_account", "SalesAccount", ("All Accounts",), bulk=True)
# No default view holds all deals: the three by outcome do (fact sheet section 5).
DEALS = Module("deals", "/deals", "deal", "Deal", ("Open Deals", "Won Deals", "Lost Deals"), bulk=True)
LEADS = Module("leads", "/leads", "lead", "Lead", ("All Leads",), upsert=True)
PRODUCTS = Module("products", "/cpq/products", "product", "Product")
RECORD_MODULES = {module.name: module for module in (CONTACTS, ACCOUNTS, DEALS, LEADS)}
PARENTS = {module.name: module for module in (CONTACTS, ACCOUNTS, DEALS, LEADS, PRODUCTS)}
"""Objects on which activities and files can hang, by logical name."""

TASKS, APPOINTMENTS, SALES_ACTIVITIES = "tasks", "appointments", "sales_activities"
NOTES, PHONE_CALLS, DOCUMENTS, LINES = "notes", "phone_calls", "documents", "deal_products"
ACTIVITIES = {
    TASKS: "task", APPOINTMENTS: "appointment", SALES_ACTIVITIES: "sales_activity", NOTES: "note",
    PHONE_CALLS: "phone_call",
}  # fmt: skip

TEXT_LENGTH = 255
"""Sources say 256 and 255 (section 19 item 9): the smaller."""
AREA_LENGTH = 10_000
_MARKED = AREA_LENGTH - 400
"""A text in which a marker line is added later has to leave room for it."""


def custom_module(entity: str) -> Module:
    """A custom module's calls; it has no upsert and no bulk upsert (section 11)."""
    return Module(entity, f"/custom_module/{entity}", entity, entity, custom=True)


def module_of(name: str) -> Module | None:
    """The module of records behind a logical name; None for activities, files and lines."""
    if name.startswith("cm_"):
        return custom_module(name)
    return RECORD_MODULES.get(name)


def _text(name: str, label: str, length: int | None = TEXT_LENGTH, *, required: bool = False) -> FieldSpec:
    kind = FieldType.TEXTAREA if (length or 0) > TEXT_LENGTH else FieldType.TEXT
    return FieldSpec(name=name, label=label, type=kind, length=length, required=required)


def _time(name: str, label: str, *, required: bool = False) -> FieldSpec:
    return FieldSpec(name=name, label=label, type=FieldType.DATETIME, required=required)


_ID = FieldSpec(name="id", label="ID", type=FieldType.ID, primary_key=True, writable=False)
_OWNER = FieldSpec(name="owner_id", label="Owner", type=FieldType.USER)


def _target(leads: bool) -> tuple[FieldSpec, ...]:
    """What an activity or file hangs on: a lead too where the account has leads (section 7)."""
    return (
        FieldSpec(
            name="targetable_id", label="Related to", type=FieldType.LOOKUP, required=True,
            references=target_objects(leads),
        ),
        FieldSpec(name="targetable_type", label="Related to (type)", type=FieldType.TEXT, required=True),
    )  # fmt: skip


def target_objects(leads: bool) -> tuple[str, ...]:
    standard = ("contacts", "sales_accounts", "deals")
    return (*standard, "leads") if leads else standard


def choices(names: tuple[str, ...]) -> tuple[PicklistValue, ...]:
    return tuple(PicklistValue(value=name, label=name) for name in names)


def _choice(name: str, label: str, values: tuple[str, ...] = ()) -> FieldSpec:
    return FieldSpec(name=name, label=label, type=FieldType.PICKLIST, picklist=choices(values), restricted=True)


def activity_specs(
    task_types: tuple[str, ...], outcomes: tuple[str, ...], *, leads: bool = False
) -> tuple[ObjectSpec, ...]:
    """Tasks, appointments, notes and phone calls: no metadata call describes them (sections 7 and 9), and none of them
    has custom fields."""
    target = _target(leads)
    return (
        ObjectSpec(name=TASKS, label="Tasks", fields=(
            _ID, _text("title", "Title", required=True), _text("description", "Description", _MARKED),
            _time("due_date", "Due date", required=True), _choice("status", "Status", ("Open", "Done")),
            _choice("task_type_id", "Task type", task_types), _choice("outcome_id", "Outcome", outcomes),
            _time("completed_date", "Completed date"), _OWNER, *target,
        )),
        ObjectSpec(name=APPOINTMENTS, label="Appointments", fields=(
            _ID, _text("title", "Title", required=True), _text("description", "Description", _MARKED),
            _time("from_date", "From", required=True), _time("end_date", "To", required=True),
            _text("location", "Location"), _text("time_zone", "Time zone"),
            FieldSpec(name="is_allday", label="All day", type=FieldType.BOOLEAN),
            _choice("outcome_id", "Outcome", outcomes), *target,
        )),
        ObjectSpec(name=NOTES, label="Notes", fields=(
            _ID, _text("description", "Note", _MARKED, required=True), *target,
        )),
        ObjectSpec(name=PHONE_CALLS, label="Phone calls", fields=(
            _ID, _choice("call_direction", "Direction", ("Incoming", "Outgoing")),
            _text("description", "Note", _MARKED), *target,
        )),
    )  # fmt: skip


def file_spec(*, leads: bool = False) -> ObjectSpec:
    """Files and links (section 8)."""
    return ObjectSpec(name=DOCUMENTS, label="Files and links", fields=(_ID, _text("name", "Name"), *_target(leads)))


def line_spec(currencies: tuple[str, ...]) -> ObjectSpec:
    """Product lines of a deal (section 5)."""
    number = {"type": FieldType.DECIMAL, "length": 11, "scale": 4}
    return ObjectSpec(name=LINES, label="Deal products", fields=(
        _ID,
        FieldSpec(name="deal_id", label="Deal", type=FieldType.LOOKUP, required=True, references=("deals",)),
        FieldSpec(name="product_id", label="Product", type=FieldType.LOOKUP, required=True, references=("products",)),
        FieldSpec.model_validate({"name": "quantity", "label": "Quantity", **number}),
        FieldSpec.model_validate({"name": "unit_price", "label": "Unit price", **number}),
        FieldSpec.model_validate({"name": "setup_fee", "label": "Setup fee", **number}),
        FieldSpec.model_validate({"name": "discount", "label": "Discount (%)", **number}),
        _choice("currency_code", "Currency", currencies).model_copy(update={"writable": False}),
    ))  # fmt: skip


def price_fields(currencies: tuple[str, ...]) -> tuple[FieldSpec, ...]:
    """A product's price in one currency, which the API keeps in rows of their own (section 6)."""
    return (
        FieldSpec(name="unit_price", label="Unit price", type=FieldType.CURRENCY, length=11, scale=4),
        _choice("currency_code", "Price currency", currencies),
    )


def product_spec(currencies: tuple[str, ...]) -> ObjectSpec:
    """The catalogue's standard fields, for accounts whose settings call does not list them (section 6)."""
    return ObjectSpec(name="products", label="Products", fields=(
        _ID, _text("name", "Name", required=True), _text("category", "Category"),
        _text("description", "Description", AREA_LENGTH), _text("product_code", "Product code"),
        _text("sku_number", "SKU number"), FieldSpec(name="is_active", label="Active", type=FieldType.BOOLEAN),
        _OWNER, FieldSpec(name="valid_till", label="Valid till", type=FieldType.DATE),
        _choice("pricing_type", "Pricing type", ("None", "One-time", "Subscription")), *price_fields(currencies),
    ))  # fmt: skip
