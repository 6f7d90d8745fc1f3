"""What each row of the pair's table promises at Freshsales: standard fields by API name, custom ones by label."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.comparing import Expected, Person, To
from tests.pairs.rsoft_company import CHANGED, MADE, former

_TIMES: Mapping[str, Any] = {"Source Created Time": MADE, "Source Modified Time": CHANGED}
_OMAR, _DANA, _ADMIN = Person("owner1@example.com"), Person("dispatch@example.com"), Person("admin@example.com")


def contact(number: int, **values: Any) -> Expected:
    return Expected("contacts", former("contacts", f"CON-{number}"), values)


CONTACTS = [
    contact(
        1,
        **{
            "first_name": "Meera",
            "last_name": "Iyer",
            "Salutation": "Ms.",
            "email": "meera@nilgiri.example.com",
            "sales_account": To("sales_accounts", former("companies", "COM-1")),
            "job_title": "Director",
            "mobile_number": "+919840012345",
            "work_number": "+919840054321",
            "WhatsApp Number": "+919840099999",
            "Phones At Source": "098400 12345 / +91-9840054321",
            "address": "4, Temple Street",
            "city": "Chennai",
            "state": "Tamil Nadu",
            "zipcode": "600004",
            "country": "India",
            "lifecycle_stage_id": "Sales Qualified Lead",
            "contact_status_id": "Qualified",
            "Lifecycle At Source": "Prospect",
            "Remarks": "Prefers calls\nafter 5 PM",
            **_TIMES,
        },
    ),
    # The other half of a merged double leads to the survivor's account; the name fits case and blanks aside.
    contact(3, first_name="Karthik", sales_account=To("sales_accounts", former("companies", "COM-1"))),
    contact(4, first_name=None, last_name="Lakshmi", sales_account=To("sales_accounts", former("companies", "COM-5"))),
    contact(
        9,
        **{
            "first_name": "प्रिया",
            "last_name": "शर्मा",
            "mobile_number": "+919444011111",
            "work_number": "+919444022222",
            "More Phones": "9444033333",
        },
    ),
]
LEADS = [
    Expected(
        "contacts",
        former("leads", "LEA-1", "lead"),
        {
            "first_name": "Farah",
            "last_name": "Khan",
            "email": "farah@example.net",
            "mobile_number": "+919812345678",
            "city": "Pune",
            "state": "Maharashtra",
            "lifecycle_stage_id": "Lead",
            "contact_status_id": "Interested",
            "lead_source_id": "IndiaMART",
            "Lead Source At Source": "IndiaMART",
            "Lead Status At Source": "Interested",
            "Lead Score": Decimal(87),
            "Enquiry ID": "ENQ/7",
            "Lead Company": "Surya Traders",
            "Requirement": "10 kg tea\nweekly",
            "Next Follow-up": date(2025, 1, 14),
            "Remarks": "Sample sent",
            "sales_account": None,
            "owner_id": _OMAR,
            **_TIMES,
        },
    ),
    Expected(
        "contacts",
        former("leads", "LEA-4", "lead"),
        {"first_name": None, "last_name": "सुनीता", "contact_status_id": "Unqualified"},
    ),
    contact(
        8,
        **{
            "Converted Lead ID": "LEA-2",
            "Converted Time": datetime(2024, 11, 19, 13, 0, tzinfo=UTC),
            "Lead Score": Decimal(55),
            "Lead Source At Source": "Website",
            "Enquiry ID": "ENQ/8",
            "lifecycle_stage_id": "Customer",
        },
    ),
]
COMPANIES = [
    Expected(
        "sales_accounts",
        former("companies", "COM-1"),
        {
            "name": "Nilgiri Tea Exports Pvt Ltd",
            "phone": "+914424567890",
            "Phones At Source": "044-24567890 / 98765 43210",
            "More Phones": "98765 43210",
            "website": "https://www.nilgiri.example.com",
            "Company Email": "office@nilgiri.example.com",
            "Industry": "Agriculture",
            "number_of_employees": "51-200",
            "Company Size": "51-200",
            "GST Number": "33AAAAA0000A1Z5",
            "PAN": "AAAAA0000A",
            "address": "12, Mount Road",
            "city": "Chennai",
            "state": "Tamil Nadu",
            "zipcode": "600002",
            "country": "India",
            "owner_id": _OMAR,
            **_TIMES,
        },
    )
]
DEALS = [
    Expected(
        "deals",
        former("deals", "DEA-1"),
        {
            "name": "Tea machines",
            "amount": Decimal(375_000),
            "probability": Decimal(5),
            "sales_account": To("sales_accounts", former("companies", "COM-1")),
            "contacts": To("contacts", former("contacts", "CON-1")),
            "expected_close": date(2025, 2, 28),
            "Remarks": "First visit done",
            "owner_id": _OMAR,
            **_TIMES,
        },
    ),
    Expected(
        "deals",
        former("deals", "DEA-2"),
        {
            "amount": Decimal(125_000),
            "sales_account": To("sales_accounts", former("companies", "COM-5")),
            "contacts": To("contacts", former("contacts", "CON-4")),
            "closed_date": date(2024, 12, 20),
            "Closed Reason": "Best price",
        },
    ),
    Expected(
        "deals",
        former("deals", "DEA-5"),
        {"amount": Decimal(20_000_000), "deal_reason_id": "Competition", "Closed Reason": "Chose competitor"},
    ),
]
STAGES = [
    Expected(
        "deals",
        former("deals", f"DEA-{number}"),
        {"deal_pipeline_id": line, "deal_stage_id": stage, "Source Stage": stage, "Source Pipeline": line},
    )
    for number, stage, line in (
        (1, "Site Survey", "Sales Pipeline"),
        (2, "Order Won", "AMC Renewals"),
        (5, "Order Lost", "Sales Pipeline"),
    )
]
TICKETS = [
    Expected(
        "cm_ticket",
        former("tickets", "TKT-1"),
        {
            "name": "TKT-1 - Wrong GSTIN",
            "Ticket Number": "TKT-1",
            "Subject": "Wrong GSTIN",
            "Description": "Invoice 7 shows another number",
            "Ticket Status": "Resolved",
            "Ticket Priority": "Urgent",
            "Channel": "Chat",
            "Contact": To("contacts", former("contacts", "CON-1")),
            "Account": To("sales_accounts", former("companies", "COM-1")),
            "Resolution": "New invoice sent",
            "Closed Time": datetime(2024, 11, 29, 7, 30, tzinfo=UTC),
            "owner_id": _DANA,
            "Source Created Time": datetime(2024, 11, 28, 3, 29, tzinfo=UTC),
        },
    ),
    Expected(
        "cm_ticket_message",
        former("ticket_messages", "MSG-2"),
        {
            "Ticket": To("cm_ticket", former("tickets", "TKT-1")),
            "Author": "Dana Field",
            "Author Type": "Agent",
            "Channel": "Chat",
            "Sent Time": datetime(2024, 11, 28, 3, 42, tzinfo=UTC),
            "Message": "We check it.\nOne moment.",
        },
    ),
]
TAGS = [
    Expected("sales_accounts", former("companies", "COM-1"), {"tags": frozenset({"VIP", "Expo"})}),
    contact(1, tags=frozenset({"Hot", "GST Pending", "Repeat Buyer"})),
    Expected("contacts", former("leads", "LEA-1", "lead"), {"tags": frozenset({"Dealer"})}),
    Expected("deals", former("deals", "DEA-2"), {"tags": frozenset({"Hot", "Expo"})}),
]
OWNERS = [
    contact(1, **{"owner_id": _DANA, "Owner At Source": "Dana Field"}),
    # No user has her address, and nobody knows the other one: the fallback owns both, the names stay.
    Expected("deals", former("deals", "DEA-2"), {"owner_id": _ADMIN, "Owner At Source": "Selvi Raman"}),
    Expected("deals", former("deals", "DEA-5"), {"owner_id": _ADMIN, "Owner At Source": "Old Partner"}),
]
CUSTOM_FIELDS = [
    Expected("sales_accounts", former("companies", "COM-1"), {"Deposit Paid": Decimal(25_000_000)}),
    contact(
        1,
        **{
            "Showroom Guide": "Kumaran",
            "Date of Visit": date(2024, 12, 13),
            "Budget": Decimal(150_000),
            "Referred By": "Asha",
            "Loan Required": True,
            "Old Dealer Code": "D-9",
        },
    ),
    Expected("deals", former("deals", "DEA-1"), {"Payment Terms": "60 days"}),
    Expected("cm_ticket", former("tickets", "TKT-1"), {"Serial Number": "SN-77"}),
]
ROWS: Mapping[str, list[Expected]] = {
    "contact": CONTACTS,
    "lead": LEADS,
    "company": COMPANIES,
    "deal": DEALS,
    "pipeline_stage": STAGES,
    "ticket": TICKETS,
    "tag": TAGS,
    "owner": OWNERS,
    "custom_field": CUSTOM_FIELDS,
}
