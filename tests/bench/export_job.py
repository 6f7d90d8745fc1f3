"""The bench's job as our mapping document: five objects of an export, the modules they go to, and the rules between."""

from app.domain.mapping import FieldRule, Load, LookupRule, MappingDocument, Unmapped, ValueMap
from app.domain.schema import FieldSpec, FieldType, ObjectSpec

KINDS = FieldType
EXTERNAL_ID = "Source_System_ID__c"


def _spread(table: dict[str, str]) -> dict[str, str]:
    """The export spells the same status with blanks, dashes and underscores, in small letters and in capitals."""
    return {
        spelling: value
        for key, value in table.items()
        for text in (key.replace(" ", sign) for sign in " -_")
        for spelling in (text, text.title(), text.upper())
    }


def _map(table: dict[str, str], default: str | None) -> ValueMap:
    unmapped = Unmapped.BLANK if default is None else Unmapped.DEFAULT
    return ValueMap(entries=_spread(table), unmapped=unmapped, default=default)


VALUE_MAPS = {
    "country": ValueMap(
        entries={
            spelling: country
            for key, country in {
                "us": "United States",
                "usa": "United States",
                "united states": "United States",
                "ca": "Canada",
                "canada": "Canada",
                "mx": "Mexico",
                "mexico": "Mexico",
            }.items()
            for spelling in (key, key.title(), key.upper())
        },
        unmapped=Unmapped.KEEP,
    ),
    "account_type": _map({"active": "Customer", "prospect": "Prospect", "inactive": "Former Customer"}, "Other"),
    "stage": _map(
        {
            "scheduled": "Qualification",
            "new": "Qualification",
            "in progress": "Negotiation/Review",
            "on hold": "Needs Analysis",
            "completed": "Closed Won",
            "invoiced": "Closed Won",
            "cancelled": "Closed Lost",
            "canceled": "Closed Lost",
        },
        "Qualification",
    ),
    "priority": _map(
        {
            **dict.fromkeys(("1", "high", "urgent"), "High"),
            **dict.fromkeys(("2", "medium", "normal"), "Medium"),
            **dict.fromkeys(("3", "low"), "Low"),
        },
        None,
    ),
    "asset_status": _map({"in service": "Active", "retired": "Retired", "repair": "Under Repair"}, "Unknown"),
}


def _copy(target: str, source: str) -> FieldRule:
    return FieldRule(target=target, sources=(source,))


def _mapped(target: str, source: str, table: str, default: str | None = None) -> FieldRule:
    return FieldRule(target=target, sources=(source,), value_map=table, default=default)


def _to(target: str, source: str, load: str) -> FieldRule:
    return FieldRule(target=target, sources=(source,), lookup=LookupRule(loads=(load,)))


def _boolean(target: str, source: str) -> FieldRule:
    words = {"truths": ["y", "yes", "true", "1"], "falsehoods": ["n", "no", "false", "0"]}
    return FieldRule(target=target, sources=(source,), transform="boolean", args=words)


def _joined(target: str, transform: str, args: dict[str, str], *sources: str) -> FieldRule:
    return FieldRule(target=target, sources=sources, transform=transform, args=dict(args))


def _clients() -> tuple[FieldRule, ...]:
    return (
        _copy(EXTERNAL_ID, "client_id"),
        _copy("Account_Name", "client_name"),
        _copy("Phone", "phone"),
        _copy("Email__c", "email"),
        _copy("Billing_Street", "street"),
        _copy("Billing_City", "city"),
        FieldRule(target="Billing_State", sources=("state",), transform="upper"),
        _copy("Billing_Code", "zip"),
        _mapped("Billing_Country", "country", "country"),
        _mapped("Account_Type", "status", "account_type", "Other"),
        _copy("Customer_Since__c", "since"),
        _copy("Credit_Limit__c", "credit_limit"),
        _boolean("VIP__c", "vip"),
        _copy("Description", "notes"),
    )


def _contacts() -> tuple[FieldRule, ...]:
    return (
        _copy(EXTERNAL_ID, "contact_id"),
        _to("Account_Name", "client_id", "clients"),
        _copy("First_Name", "first_name"),
        FieldRule(target="Last_Name", sources=("last_name",), default="Unknown"),
        _copy("Email", "email"),
        _copy("Phone", "phone"),
        _copy("Title", "title"),
        _boolean("Primary__c", "is_primary"),
        _copy("Created_On__c", "created"),
    )


def _work_orders() -> tuple[FieldRule, ...]:
    return (
        _copy(EXTERNAL_ID, "wo_id"),
        _joined("Deal_Name", "template", {"template": "{wo_id} - {title}"}, "wo_id", "title"),
        _to("Account_Name", "client_id", "clients"),
        _to("Contact_Name", "contact_id", "contacts"),
        _mapped("Stage", "status", "stage", "Qualification"),
        _mapped("Priority__c", "priority", "priority"),
        _copy("Amount", "price"),
        _joined("Closing_Date", "first_of", {}, "completed", "scheduled"),
        _copy("Scheduled_Date__c", "scheduled"),
        _copy("Technician__c", "technician"),
        _copy("Type", "wo_type"),
        _copy("Source_Created__c", "created_at"),
        _copy("Description", "description"),
    )


def _assets() -> tuple[FieldRule, ...]:
    return (
        _copy(EXTERNAL_ID, "asset_id"),
        _joined("Name", "join", {"separator": " "}, "manufacturer", "model"),
        _to("Account", "client_id", "clients"),
        FieldRule(target="Serial__c", sources=("serial",), transform="upper"),
        _copy("Install_Date__c", "installed"),
        _copy("Warranty_Until__c", "warranty_until"),
        _mapped("Status__c", "status", "asset_status", "Unknown"),
    )


def _history() -> tuple[FieldRule, ...]:
    return (
        _copy(EXTERNAL_ID, "history_id"),
        _copy("Name", "history_id"),
        _to("Asset", "asset_id", "assets"),
        _to("Deal", "wo_id", "work_orders"),
        _copy("Service_Date__c", "service_date"),
        _copy("Technician__c", "technician"),
        _copy("Labor_Hours__c", "labor_hours"),
        _copy("Parts_Cost__c", "parts_cost"),
        _copy("Notes__c", "notes"),
    )


def document() -> MappingDocument:
    """The five loads. What an object needs comes before it; contacts and assets need only the clients."""
    loads = (
        ("clients", "Accounts", _clients()),
        ("contacts", "Contacts", _contacts()),
        ("work_orders", "Deals", _work_orders()),
        ("assets", "Assets", _assets()),
        ("service_history", "Service_History", _history()),
    )
    return MappingDocument(
        source="export",
        destination="zoho_crm",
        external_id=EXTERNAL_ID,
        loads=tuple(
            Load(key=key, source_object=key, target_object=module, phase=key, fields=rules)
            for key, module, rules in loads
        ),
        value_maps=VALUE_MAPS,
    )


_TARGET_KINDS = {
    "Customer_Since__c": KINDS.DATE,
    "Created_On__c": KINDS.DATE,
    "Closing_Date": KINDS.DATE,
    "Scheduled_Date__c": KINDS.DATE,
    "Install_Date__c": KINDS.DATE,
    "Warranty_Until__c": KINDS.DATE,
    "Service_Date__c": KINDS.DATE,
    "Source_Created__c": KINDS.DATETIME,
    "Credit_Limit__c": KINDS.CURRENCY,
    "Amount": KINDS.CURRENCY,
    "Labor_Hours__c": KINDS.DECIMAL,
    "Parts_Cost__c": KINDS.CURRENCY,
    "VIP__c": KINDS.BOOLEAN,
    "Primary__c": KINDS.BOOLEAN,
    "Account_Type": KINDS.PICKLIST,
    "Stage": KINDS.PICKLIST,
    "Priority__c": KINDS.PICKLIST,
    "Status__c": KINDS.PICKLIST,
    "Description": KINDS.TEXTAREA,
    "Notes__c": KINDS.TEXTAREA,
    "Email": KINDS.EMAIL,
    "Email__c": KINDS.EMAIL,
    "Phone": KINDS.PHONE,
}
_LENGTHS = {KINDS.TEXT: 255, KINDS.TEXTAREA: 32_000, KINDS.EMAIL: 100, KINDS.PHONE: 30, KINDS.PICKLIST: 120}
_REQUIRED = {
    "Accounts": ("Account_Name",),
    "Contacts": ("Last_Name",),
    "Deals": ("Deal_Name", "Stage"),
    "Assets": ("Name",),
    "Service_History": ("Name",),
}


def target_object(load: Load) -> ObjectSpec:
    """The module as the sink treats it: its mandatory fields and a unique external id."""
    fields = []
    for rule in load.fields:
        kind = KINDS.LOOKUP if rule.lookup else _TARGET_KINDS.get(rule.target, KINDS.TEXT)
        fields.append(
            FieldSpec(
                name=rule.target,
                type=kind,
                length=_LENGTHS.get(kind),
                scale=2 if kind in (KINDS.CURRENCY, KINDS.DECIMAL) else None,
                required=rule.target in _REQUIRED[load.target_object],
                unique=rule.target == EXTERNAL_ID,
                external_id=rule.target == EXTERNAL_ID,
            )
        )
    return ObjectSpec(name=load.target_object, fields=tuple(fields))
