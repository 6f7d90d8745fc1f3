"""What OctopusPro's support hands over: tables, fields and their headings (source fact sheet section 3).

Customer columns follow the vendor's import template; all other names are those that the fact sheet proposes, and are
unverified there. Spellings vary by account, so every heading has others beside it.
"""

from app.domain.schema import FieldType
from connectors.exportkit.catalogue import Catalogue, TableField, TableObject

_T = FieldType
_REGION = "AU"


def _ref(name: str, label: str, target: str, match_on: str, *headings: str) -> TableField:
    kind = _T.USER if target == "field_workers" else _T.LOOKUP
    return TableField(name, label, kind, headings, references=target, match_on=match_on)


def _phone(name: str, label: str, *headings: str) -> TableField:
    return TableField(name, label, _T.PHONE, headings, phone_region=_REGION)


_NAMES = "full_name_given,business_name,first_name+last_name,email"
_STAMPS = (
    TableField("created_at", "Created", _T.DATETIME, ("Created At", "Date Created")),
    TableField("updated_at", "Modified", _T.DATETIME, ("Modified At", "Last Modified", "Updated")),
)

CUSTOMERS = TableObject(
    "customers",
    "Customers",
    (
        TableField("id", "Customer ID", _T.ID, ("ID", "Customer No", "Customer Number")),
        TableField("title", "Title"),
        TableField("full_name_given", "Customer Name", headings=("Full Name", "Customer", "Name")),
        TableField("first_name", "First Name", headings=("First Name*", "Given Name")),
        TableField("last_name", "Last Name", headings=("Last Name*", "Surname")),
        TableField("first_name2", "First Name2", headings=("Second First Name", "First Name 2")),
        TableField("last_name2", "Last Name2", headings=("Second Last Name", "Last Name 2")),
        TableField("first_name3", "First Name3", headings=("Third First Name", "First Name 3")),
        TableField("last_name3", "Last Name3", headings=("Third Last Name", "Last Name 3")),
        TableField("email", "Email", _T.EMAIL, ("Email1", "Email*", "E-mail")),
        TableField("email2", "Email2", _T.EMAIL, ("Secondary Email", "Email 2")),
        TableField("email3", "Email3", _T.EMAIL, ("Email 3",)),
        _phone("mobile", "Mobile", "Mobile1", "Mobile Phone", "Mobile*"),
        _phone("mobile2", "Mobile2", "Mobile 2"),
        _phone("mobile3", "Mobile3", "Mobile 3"),
        _phone("phone", "Phone", "Phone1", "Landline"),
        _phone("phone2", "Phone2", "Phone 2"),
        _phone("phone3", "Phone3", "Phone 3"),
        TableField("unit", "Unit/Lot Number", headings=("Unit",)),
        TableField("street_number", "Street Number", headings=("Street No",)),
        TableField("street", "Street Name", headings=("Street", "Street Address", "Street Name*")),
        TableField("suburb", "Suburb", headings=("City", "Suburb*")),
        TableField("state", "State", headings=("State*",)),
        TableField("postcode", "Postcode", headings=("Post Code", "Zip", "Postcode*")),
        TableField("country", "Country"),
        TableField("joined", "Date Joined", _T.DATE, ("Joined", "Customer Since")),
        TableField("customer_type", "Customer Type", _T.PICKLIST),
        TableField("business_name", "Business Name", headings=("Company", "Trading Name")),
        TableField("portal_access", "Customer Portal", _T.BOOLEAN, ("Portal Access", "Portal")),
        TableField("notes", "Notes", _T.TEXTAREA, ("Customer Notes", "Comments")),
        TableField("password", "Password", never=True),
        *_STAMPS,
    ),
    files=("customer", "clients"),
)
BOOKINGS = TableObject(
    "bookings",
    "Bookings",
    (
        TableField("id", "Booking ID", _T.ID, ("ID",)),
        TableField("number", "Booking Number", headings=("Booking No", "Reference", "Booking #")),
        _ref("customer", "Customer", "customers", _NAMES, "Customer ID", "Customer Name", "Customer No"),
        TableField("field_workers", "Field Workers", _T.MULTIPICKLIST, ("Field Worker", "Assigned To"), separator=";"),
        TableField("title", "Title", headings=("Description", "Job Title")),
        TableField("status", "Status", _T.PICKLIST, ("Booking Status",)),
        TableField("starts_at", "Start", _T.DATETIME, ("Booking Start", "Start Date", "Start Time")),
        TableField("ends_at", "End", _T.DATETIME, ("Booking End", "End Date", "End Time")),
        TableField("address", "Service Address", headings=("Address", "Booking Address")),
        TableField("billing_model", "Billing Model", _T.PICKLIST, ("Billing",)),
        TableField("subtotal", "Subtotal", _T.CURRENCY),
        TableField("tax", "GST", _T.CURRENCY, ("Tax",)),
        TableField("total", "Total", _T.CURRENCY, ("Booking Total", "Amount")),
        TableField("labels", "Labels", _T.MULTIPICKLIST, separator=";"),
        TableField("notes", "Notes", _T.TEXTAREA, ("Booking Notes",)),
        *_STAMPS,
    ),
    files=("booking", "jobs"),
)


def _lines(name: str, label: str, parent: str, owner: str, path: str, *files: str) -> TableObject:
    return TableObject(
        name,
        label,
        (
            TableField("id", "Line ID", _T.ID, ("ID",)),
            _ref(owner, owner.capitalize(), parent, "number", f"{owner} id", f"{owner} number", f"{owner} no"),
            TableField("position", "Line", headings=("Position", "Line No", "_position")),
            _ref("service", "Service", "services", "name", "Service ID", "Service Name"),
            TableField("description", "Description", headings=("Item", "Details")),
            TableField("quantity", "Quantity", _T.DECIMAL, ("Qty",)),
            TableField("unit_price", "Unit Price", _T.CURRENCY, ("Price", "Rate")),
            TableField("total", "Line Total", _T.CURRENCY, ("Total", "Amount")),
            TableField("address", "Service Address", headings=("Address",)),
        ),
        or_key=(owner, "position"),
        files=files,
        parent=parent,
        path=path,
    )


BOOKING_SERVICES = _lines(
    "booking_services", "Booking Services", "bookings", "booking", "services", "booking_lines", "booking_line_items"
)
INVOICE_ITEMS = _lines("invoice_items", "Invoice Items", "invoices", "invoice", "items", "invoice_lines")
QUOTE_ITEMS = _lines("quote_items", "Quote Items", "quotes", "quote", "items", "quote_lines", "estimate_items")
BOOKING_VISITS = TableObject(
    "booking_visits",
    "Booking Visits",
    (
        TableField("id", "Visit ID", _T.ID, ("ID",)),
        _ref("booking", "Booking", "bookings", "number", "Booking ID", "Booking Number"),
        TableField("position", "Visit", headings=("Position", "Visit No", "_position")),
        TableField("starts_at", "Start", _T.DATETIME, ("Visit Start", "Starts")),
        TableField("ends_at", "End", _T.DATETIME, ("Visit End", "Ends")),
        _ref("field_worker", "Field Worker", "field_workers", "email,name", "Field Worker ID", "Worker"),
        TableField("address", "Address"),
        TableField("notes", "Notes", _T.TEXTAREA, ("Visit Notes",)),
    ),
    or_key=("booking", "position"),
    files=("visits", "booking_slots"),
    parent="bookings",
    path="visits",
)
STATUS_HISTORY = TableObject(
    "booking_status_history",
    "Booking Status History",
    (
        TableField("id", "Change ID", _T.ID, ("ID",)),
        _ref("booking", "Booking", "bookings", "number", "Booking ID", "Booking Number"),
        TableField("position", "Change", headings=("Position", "_position")),
        TableField("status", "Status", headings=("New Status", "To Status")),
        TableField("changed_at", "Changed", _T.DATETIME, ("Changed At", "Date", "Time")),
        _ref("changed_by", "Changed By", "field_workers", "email,name", "User", "Changed By ID"),
    ),
    or_key=("booking", "position"),
    files=("status_history", "booking_statuses", "booking_history"),
    parent="bookings",
    path="status_history",
)
FIELD_WORKERS = TableObject(
    "field_workers",
    "Field Workers",
    (
        TableField("id", "Field Worker ID", _T.ID, ("ID", "Worker ID")),
        TableField("name", "Name", headings=("Full Name", "Field Worker", "Worker Name")),
        TableField("email", "Email", _T.EMAIL, ("E-mail",)),
        _phone("mobile", "Mobile", "Phone"),
        TableField("role", "Role", headings=("User Role", "Position")),
        TableField("pay_rate", "Pay Rate", _T.CURRENCY, ("Hourly Rate", "Rate")),
        TableField("commission", "Commission", _T.PERCENT, ("Commission %",)),
        TableField("active", "Status", headings=("Active", "State")),
        TableField("gps_tracking", "GPS Tracking", headings=("GPS",)),
        *_STAMPS,
    ),
    files=("fieldworkers", "workers", "staff", "technicians"),
)
INVOICES = TableObject(
    "invoices",
    "Invoices",
    (
        TableField("id", "Invoice ID", _T.ID, ("ID",)),
        TableField("number", "Invoice Number", headings=("Invoice No", "Invoice #")),
        _ref("booking", "Booking", "bookings", "number", "Booking ID", "Booking Number"),
        _ref("customer", "Customer", "customers", _NAMES, "Customer ID", "Customer Name"),
        TableField("issued", "Issue Date", _T.DATE, ("Date", "Issued", "Invoice Date")),
        TableField("due", "Due Date", _T.DATE, ("Due",)),
        TableField("status", "Status", _T.PICKLIST, ("Invoice Status",)),
        TableField("subtotal", "Subtotal", _T.CURRENCY),
        TableField("tax", "GST", _T.CURRENCY, ("Tax",)),
        TableField("total", "Total", _T.CURRENCY, ("Invoice Total", "Amount")),
        TableField("paid", "Amount Paid", _T.CURRENCY, ("Paid",)),
        TableField("due_amount", "Amount Due", _T.CURRENCY, ("Outstanding", "Balance")),
        TableField("notes", "Notes", _T.TEXTAREA),
        *_STAMPS,
    ),
    files=("invoice",),
)
PAYMENTS = TableObject(
    "payments",
    "Payments",
    (
        TableField("id", "Payment ID", _T.ID, ("ID",)),
        _ref("invoice", "Invoice", "invoices", "number", "Invoice ID", "Invoice Number", "Invoice No"),
        _ref("customer", "Customer", "customers", _NAMES, "Customer ID", "Customer Name"),
        TableField("paid_on", "Payment Date", _T.DATE, ("Date", "Paid On")),
        TableField("amount", "Amount", _T.CURRENCY, ("Payment Amount",)),
        TableField("method", "Method", headings=("Payment Method", "Payment Type")),
        TableField("status", "Status", headings=("Payment Status",)),
        TableField("reference", "Reference", headings=("Transaction", "Transaction ID")),
        TableField("refund", "Refund", _T.BOOLEAN, ("Is Refund", "Refunded")),
        TableField("notes", "Notes", _T.TEXTAREA),
        *_STAMPS,
    ),
    or_key=("invoice", "paid_on", "amount", "method", "reference"),
    files=("payment",),
)
QUOTES = TableObject(
    "quotes",
    "Quotes",
    (
        TableField("id", "Quote ID", _T.ID, ("ID", "Estimate ID")),
        TableField("number", "Quote Number", headings=("Quote No", "Estimate No", "Estimate Number")),
        _ref("customer", "Customer", "customers", _NAMES, "Customer ID", "Customer Name"),
        _ref("booking", "Booking", "bookings", "number", "Booking ID", "Booking Number"),
        TableField("title", "Title", headings=("Description", "Subject")),
        TableField("issued", "Issue Date", _T.DATE, ("Date", "Quote Date")),
        TableField("valid_until", "Valid Until", _T.DATE, ("Expiry Date", "Expires", "Validity")),
        TableField("status", "Status", _T.PICKLIST, ("Quote Status",)),
        TableField("rejected_because", "Reason", headings=("Rejection Reason", "Decline Reason")),
        TableField("total", "Total", _T.CURRENCY, ("Quote Total", "Amount")),
        TableField("notes", "Notes", _T.TEXTAREA),
        *_STAMPS,
    ),
    files=("quote", "estimates"),
)
SERVICES = TableObject(
    "services",
    "Services",
    (
        TableField("id", "Service ID", _T.ID, ("ID",)),
        TableField("name", "Service Name", headings=("Name", "Service")),
        TableField("description", "Description", _T.TEXTAREA),
        TableField("price_type", "Price Type", _T.PICKLIST, ("Pricing", "Pricing Type")),
        TableField("price", "Price", _T.CURRENCY, ("Unit Price", "Rate")),
        TableField("price_rule", "Price Rule", _T.TEXTAREA, ("Pricing Rule", "Attributes")),
        TableField("duration", "Duration (min)", _T.DECIMAL, ("Duration", "Minutes", "Duration Minutes")),
        TableField("service_area", "Service Area", headings=("Areas",)),
        TableField("active", "Active", _T.BOOLEAN),
        *_STAMPS,
    ),
    files=("service",),
)
CUSTOM_FIELDS = TableObject(
    "custom_fields",
    "Custom Fields",
    (
        TableField("applies_to", "Applies To", headings=("Object", "Module", "Used On")),
        TableField("name", "Field Name", headings=("Name", "Field", "Label")),
        TableField("type", "Field Type", headings=("Type",)),
        TableField("options", "Options", headings=("Values", "Choices")),
        TableField("required", "Required"),
    ),
    key=("applies_to", "name"),
    files=("custom_field_inventory", "customfields"),
    required=False,
)
AUTOMATIONS = TableObject(
    "automation_rules",
    "Automation Rules",
    (
        TableField("id", "Rule ID", _T.ID, ("ID",)),
        TableField("name", "Rule Name", headings=("Name", "Rule")),
        TableField("trigger", "Trigger", headings=("When",)),
        TableField("condition", "Condition", headings=("If",)),
        TableField("action", "Action", headings=("Then",)),
        TableField("active", "Active", _T.BOOLEAN),
    ),
    or_key=("name", "trigger"),
    files=("automations", "notifications"),
    required=False,
)
PROPERTIES = TableObject(
    "customer_properties",
    "Customer Properties",
    (
        TableField("id", "Property ID", _T.ID, ("ID",)),
        _ref("customer", "Customer", "customers", _NAMES, "Customer ID", "Customer Name"),
        TableField("kind", "Type", headings=("Property Type",)),
        TableField("name", "Name", headings=("Property Name",)),
        TableField("details", "Details", _T.TEXTAREA, ("Notes",)),
    ),
    or_key=("customer", "kind", "name"),
    files=("properties",),
    required=False,
)

CATALOGUE = Catalogue(
    "octopuspro",
    (
        FIELD_WORKERS, CUSTOMERS, SERVICES, BOOKINGS, BOOKING_SERVICES, BOOKING_VISITS, STATUS_HISTORY,
        INVOICES, INVOICE_ITEMS, PAYMENTS, QUOTES, QUOTE_ITEMS, CUSTOM_FIELDS, AUTOMATIONS, PROPERTIES,
    ),
    users="field_workers",
)  # fmt: skip
