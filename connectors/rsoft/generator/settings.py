"""What an administrator of the account writes down: users, stages, custom fields, workflows."""

from collections.abc import Iterator

USER_HEADINGS = ["User Id", "Name", "Email", "Role", "Active", "Mobile"]
USERS = (
    ("USR-001", "Account Admin", "admin@example.com", "Administrator", "Yes", "9840000001"),
    ("USR-002", "Dana Field", "dispatch@example.com", "Manager", "Yes", "9840000002"),
    ("USR-003", "Omar Sales", "owner1@example.com", "Executive", "Yes", "9840000003"),
    ("USR-004", "Rita Former", "former@example.com", "Executive", "No", ""),
    ("USR-005", "Selvi Raman", "selvi.raman@example.org", "Executive", "Yes", "9840000005"),
)
STAGE_HEADINGS = ["Stage Id", "Pipeline", "Stage", "Position", "Probability", "Outcome"]
STAGES = (
    ("Sales Pipeline", "Enquiry Received", 10, "Open"),
    ("Sales Pipeline", "Quotation Sent", 40, "Open"),
    ("Sales Pipeline", "Negotiation", 70, "Open"),
    ("Sales Pipeline", "Order Won", 100, "Won"),
    ("Sales Pipeline", "Order Lost", 0, "Lost"),
    ("AMC Renewals", "Due for Renewal", 30, "Open"),
    ("AMC Renewals", "Negotiation", 60, "Open"),
    ("AMC Renewals", "Renewed", 100, "Won"),
    ("AMC Renewals", "Not Renewed", 0, "Lost"),
)
FIELD_HEADINGS = ["Module", "Field Name", "Type", "Active"]
# Six on contacts: one more than the Standard and Advanced plans allow (fact sheet section 5); deals keep a dead one.
CUSTOM_FIELDS = (
    ("Contacts", "Preferred Language", "Dropdown", "Yes"),
    ("Contacts", "Date of Visit", "Date", "Yes"),
    ("Contacts", "Budget", "Currency", "Yes"),
    ("Contacts", "Referred By", "Text", "Yes"),
    ("Contacts", "Loan Required", "Checkbox", "Yes"),
    ("Contacts", "Old Dealer Code", "Text", "No"),
    ("Companies", "Annual Turnover", "Currency", "Yes"),
    ("Deals", "Payment Terms", "Dropdown", "Yes"),
    ("Tickets", "Serial Number", "Text", "Yes"),
)
WORKFLOW_HEADINGS = ["Workflow Id", "Name", "Module", "Trigger", "Condition", "Action", "Active"]
WORKFLOWS = (
    ("WF-1", "Welcome e-mail", "Leads", "On create", "Lead Source is Website", "Send email template Welcome", "Yes"),
    ("WF-2", "Round robin", "Leads", "On create", "", "Assign owner in turn", "Yes"),
    ("WF-3", "Won alert", "Deals", "Stage is Order Won", "Amount above 5 L", "SMS to manager", "Yes"),
    ("WF-4", "Quotation reminder", "Deals", "Stage is Quotation Sent for 3 days", "", "Create follow-up task", "Yes"),
    ("WF-5", "Ticket escalation", "Tickets", "Open for 24 hours", "Priority is High", "Notify manager", "No"),
    ("WF-6", "Diwali greeting", "Contacts", "Date", "Tag is VIP", "Send WhatsApp template", "Yes"),
)


def users() -> Iterator[list[str]]:
    return (list(row) for row in USERS)


def stages() -> Iterator[list[str]]:
    position: dict[str, int] = {}
    for number, (pipeline, stage, probability, outcome) in enumerate(STAGES, start=1):
        position[pipeline] = position.get(pipeline, 0) + 1
        yield [f"STG-{number:02d}", pipeline, stage, str(position[pipeline]), f"{probability}%", outcome]


def custom_fields() -> Iterator[list[str]]:
    return (list(row) for row in CUSTOM_FIELDS)


def workflows() -> Iterator[list[str]]:
    return (list(row) for row in WORKFLOWS)
