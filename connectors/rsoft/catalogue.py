"""What an RSoft export holds, as data. The columns are proposals from Indian practice (source fact sheet section 5):
no list of the vendor's was found, hence many spellings of each heading, and a custom field for every other column.
"""

from app.domain.schema import FieldType
from connectors.exportkit.catalogue import Catalogue, TableField, TableObject

_REGION = "IN"
_T = FieldType

CREATED = TableField("created_at", "Created On", _T.DATETIME, ("created", "created at", "created date", "added on"))
MODIFIED = TableField("updated_at", "Modified On", _T.DATETIME, ("modified", "updated on", "last modified"))
OWNER = TableField(
    "owner", "Owner", _T.USER, references="users", match_on="email,name", headings=("owner name", "assigned to")
)
TAGS = TableField("tags", "Tags", _T.MULTIPICKLIST, ("tag", "labels"), separator=",")


def _phone(name: str, label: str, *headings: str) -> TableField:
    return TableField(name, label, _T.PHONE, headings, phone_region=_REGION)


def _key(label: str, *headings: str) -> TableField:
    return TableField("id", label, headings=(*headings, "id"))


_PLACE = (
    TableField("address", "Address", _T.TEXTAREA, ("street", "address line 1")),
    TableField("city", "City"),
    TableField("state", "State"),
    TableField("pincode", "Pincode", headings=("pin", "pin code", "postal code", "zip")),
    TableField("country", "Country"),
)
_COMPANY_BY_NAME = TableField(
    "company",
    "Company",
    _T.LOOKUP,
    references="companies",
    match_on="name",
    headings=("company name", "account", "organisation"),
)
PERSON = "name,first_name+last_name,email"
_CONTACT = TableField(
    "contact", "Contact", _T.LOOKUP, references="contacts", match_on=PERSON, headings=("contact name", "contact id")
)

USERS = TableObject(
    "users",
    "Users",
    (
        _key("User Id"),
        TableField("name", "Name", headings=("user name", "full name")),
        TableField("email", "Email", _T.EMAIL, ("e-mail", "mail id", "email id")),
        TableField("role", "Role", headings=("designation", "profile")),
        TableField("active", "Active", _T.BOOLEAN, ("is active", "status")),
        _phone("mobile", "Mobile"),
        TableField("password", never=True),
    ),
    files=("user", "owners", "owner", "employees"),
)
STAGES = TableObject(
    "stages",
    "Pipeline Stages",
    (
        TableField("stage_id", "Stage Id"),
        TableField("pipeline", "Pipeline", headings=("pipeline name",)),
        TableField("stage", "Stage", headings=("stage name", "name")),
        TableField("position", "Position", _T.INTEGER, ("order", "sequence")),
        TableField("probability", "Probability", _T.PERCENT, ("probability %", "win probability")),
        TableField("outcome", "Outcome", headings=("stage type", "type", "forecast")),
    ),
    key=("pipeline", "stage"),
    files=("pipeline_stages", "pipelines", "deal_stages"),
    required=False,
)
COMPANIES = TableObject(
    "companies",
    "Companies",
    (
        _key("Company Id"),
        TableField("name", "Company Name", headings=("company", "account name", "organisation")),
        TableField("industry", "Industry", _T.PICKLIST),
        TableField("company_size", "Company Size", headings=("size", "employees", "no of employees")),
        TableField("website", "Website", _T.URL, ("url", "web")),
        _phone("phone", "Phone", "landline", "telephone", "contact number"),
        TableField("email", "Email", _T.EMAIL, ("e-mail", "email id")),
        TableField("gst_number", "GST Number", headings=("gstin", "gst no", "gst")),
        TableField("pan", "PAN", headings=("pan number", "pan no"), sensitive=True),
        *_PLACE,
        OWNER,
        TAGS,
        CREATED,
        MODIFIED,
    ),
    files=("company", "accounts"),
)
CONTACTS = TableObject(
    "contacts",
    "Contacts",
    (
        _key("Contact Id"),
        TableField("salutation", "Salutation", headings=("title", "prefix")),
        TableField("first_name", "First Name", headings=("given name",)),
        TableField("last_name", "Last Name", headings=("surname",)),
        TableField("name", "Name", headings=("contact name", "full name")),
        TableField("company_id", "Company Id", _T.LOOKUP, references="companies", match_on="name"),
        TableField(
            "company",
            "Company Name",
            _T.LOOKUP,
            references="companies",
            match_on="name",
            headings=("company", "account"),
        ),
        TableField("designation", "Designation", headings=("job title", "position")),
        _phone("mobile", "Mobile", "mobile number", "mobile no", "phone"),
        _phone("alternate_mobile", "Alternate Mobile", "alternate number", "alt mobile", "phone 2"),
        _phone("whatsapp_number", "WhatsApp Number", "whatsapp", "whatsapp no"),
        TableField("email", "Email", _T.EMAIL, ("e-mail", "email id", "mail id")),
        *_PLACE,
        TableField(
            "lifecycle_stage", "Lifecycle Stage", _T.PICKLIST, headings=("stage", "lifecycle", "contact status")
        ),
        OWNER,
        TAGS,
        TableField("remarks", "Remarks", _T.TEXTAREA, ("notes", "description", "comments")),
        CREATED,
        MODIFIED,
    ),
    files=("contact", "customers"),
)
LEADS = TableObject(
    "leads",
    "Leads",
    (
        _key("Lead Id"),
        TableField("enquiry_id", "Enquiry Id", headings=("enquiry no", "enquiry number")),
        TableField("name", "Name", headings=("lead name", "full name", "sender name")),
        TableField("company_name", "Company", headings=("company name", "sender company")),
        _phone("mobile", "Mobile", "mobile number", "sender mobile", "phone"),
        TableField("email", "Email", _T.EMAIL, ("e-mail", "email id", "sender email")),
        *_PLACE,
        TableField("lead_source", "Lead Source", _T.PICKLIST, headings=("source", "query type")),
        TableField("requirement", "Requirement", _T.TEXTAREA, ("product/requirement", "product", "query message")),
        TableField("lead_status", "Lead Status", _T.PICKLIST, headings=("status",)),
        TableField("lead_score", "Lead Score", _T.INTEGER, ("score",)),
        TableField("next_follow_up", "Next Follow-up Date", _T.DATE, ("next follow up", "follow up date")),
        TableField("remarks", "Remarks", _T.TEXTAREA, ("notes", "comments")),
        TableField(
            "owner", "Assigned To", _T.USER, references="users", match_on="email,name", headings=("owner", "lead owner")
        ),
        TableField(
            "converted_contact",
            "Converted Contact Id",
            _T.LOOKUP,
            references="contacts",
            match_on=PERSON,
            headings=("converted contact", "contact id"),
        ),
        TableField("converted_on", "Converted On", _T.DATETIME, ("conversion date",)),
        TAGS,
        CREATED,
        MODIFIED,
    ),
    files=("lead", "enquiries"),
)
DEALS = TableObject(
    "deals",
    "Deals",
    (
        _key("Deal Id", "opportunity id"),
        TableField("name", "Deal Name", headings=("title", "opportunity name")),
        _COMPANY_BY_NAME,
        _CONTACT,
        TableField("pipeline", "Pipeline", headings=("pipeline name",)),
        TableField("stage", "Stage", _T.PICKLIST, headings=("deal stage", "stage name")),
        TableField("amount", "Amount", _T.CURRENCY, ("deal value", "value", "deal amount")),
        TableField("probability", "Probability", _T.PERCENT, ("probability %",)),
        TableField("expected_close", "Expected Close Date", _T.DATE, ("expected close", "closing date", "close date")),
        TableField("closed_on", "Closed On", _T.DATE, ("closed date", "won date", "lost date")),
        TableField(
            "closed_reason", "Closed Reason", headings=("closed won/lost reason", "won/lost reason", "lost reason")
        ),
        OWNER,
        TAGS,
        TableField("remarks", "Remarks", _T.TEXTAREA, ("notes", "description", "comments")),
        CREATED,
        MODIFIED,
    ),
    files=("deal", "opportunities"),
)
ACTIVITIES = TableObject(
    "activities",
    "Activities",
    (
        _key("Activity Id"),
        TableField("type", "Type", headings=("activity type",)),
        TableField("related_type", "Related Type", headings=("related module", "module")),
        TableField("related_to", "Related To", headings=("related id", "related record", "record id")),
        TableField("subject", "Subject", headings=("title",)),
        TableField("description", "Description", _T.TEXTAREA, ("body", "message", "notes")),
        TableField("mail_from", "From", headings=("from address", "sender")),
        TableField("mail_to", "To", headings=("to address", "recipient", "recipients")),
        TableField("mail_cc", "Cc", headings=("cc address",)),
        TableField("direction", "Direction", headings=("call direction", "call type")),
        TableField("status", "Status"),
        TableField("priority", "Priority"),
        TableField("due_on", "Due On", _T.DATETIME, ("due date", "start time", "scheduled on")),
        TableField("done_on", "Done On", _T.DATETIME, ("completed on", "activity date", "end time")),
        TableField("duration", "Duration", _T.DECIMAL, ("duration (min)", "call duration", "minutes")),
        TableField("location", "Location", headings=("venue",)),
        TableField("outcome", "Outcome", headings=("result", "call result", "disposition")),
        TableField("recording", "Recording", headings=("recorded", "call recording")),
        OWNER,
        CREATED,
    ),
    files=("activity", "tasks_and_activities"),
)
TICKETS = TableObject(
    "tickets",
    "Tickets",
    (
        _key("Ticket Id", "ticket no", "ticket number"),
        TableField("subject", "Subject", headings=("title",)),
        TableField("description", "Description", _T.TEXTAREA, ("details", "issue")),
        TableField("status", "Status", headings=("ticket status",)),
        TableField("priority", "Priority"),
        TableField("channel", "Channel", headings=("source", "origin")),
        _CONTACT,
        _COMPANY_BY_NAME,
        TableField(
            "owner",
            "Assignee",
            _T.USER,
            references="users",
            match_on="email,name",
            headings=("assigned to", "agent", "owner"),
        ),
        TableField("resolution", "Resolution", _T.TEXTAREA, ("solution",)),
        CREATED,
        TableField("closed_on", "Closed On", _T.DATETIME, ("resolved on", "closed date")),
    ),
    files=("ticket", "support_tickets"),
    required=False,
)
MESSAGES = TableObject(
    "ticket_messages",
    "Ticket Conversations",
    (
        _key("Message Id"),
        TableField("ticket", "Ticket Id", _T.LOOKUP, references="tickets"),
        TableField("author", "Author", headings=("from", "sent by")),
        TableField("author_type", "Author Type", headings=("role", "sender type")),
        TableField("channel", "Channel"),
        TableField("sent_on", "Sent On", _T.DATETIME, ("created on", "date")),
        TableField("message", "Message", _T.TEXTAREA, ("body", "text")),
    ),
    files=("ticket_conversations", "conversations", "ticket_threads"),
    required=False,
)
TAG_LIST = TableObject(
    "tags",
    "Tags",
    (
        TableField("record_type", "Record Type", headings=("module", "type")),
        TableField("record_id", "Record Id", headings=("related id",)),
        TableField("tag", "Tag", headings=("tag name", "name")),
    ),
    key=("record_type", "record_id", "tag"),
    required=False,
)
CUSTOM_FIELDS = TableObject(
    "custom_fields",
    "Custom Fields",
    (
        TableField("module", "Module", headings=("object",)),
        TableField("field_name", "Field Name", headings=("name", "field", "label")),
        TableField("type", "Type", headings=("field type",)),
        TableField("active", "Active", _T.BOOLEAN, ("enabled",)),
    ),
    key=("module", "field_name"),
    files=("custom_field_list",),
    required=False,
)
WORKFLOWS = TableObject(
    "workflows",
    "Workflows",
    (
        _key("Workflow Id"),
        TableField("name", "Name", headings=("workflow name",)),
        TableField("module", "Module", headings=("object",)),
        TableField("trigger", "Trigger", headings=("event", "when")),
        TableField("condition", "Condition", headings=("criteria", "if")),
        TableField("action", "Action", headings=("actions", "then")),
        TableField("active", "Active", _T.BOOLEAN, ("enabled",)),
    ),
    key=("id",),
    files=("workflow", "automations", "automation_rules"),
    required=False,
    or_key=("module", "name"),
)
MANIFEST = TableObject(
    "extraction_manifest",
    "Extraction Manifest",
    (
        TableField("order", "Order", _T.INTEGER),
        TableField("object", "Object", headings=("module",)),
        TableField("file", "File", headings=("file name",)),
        TableField("rows", "Rows", _T.INTEGER, ("records", "row count", "count")),
    ),
    key=("object",),
    required=False,
)

CATALOGUE = Catalogue(
    platform="rsoft",
    objects=(
        USERS, STAGES, COMPANIES, CONTACTS, LEADS, DEALS, ACTIVITIES, TICKETS, MESSAGES, TAG_LIST, CUSTOM_FIELDS,
        WORKFLOWS, MANIFEST,
    ),
    users="users",
)  # fmt: skip
"""In the order of dependency: people before what they own, companies before contacts before deals."""
