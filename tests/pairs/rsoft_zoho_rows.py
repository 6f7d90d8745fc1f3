"""What each row of the pair's table promises at Zoho CRM, as records with labels of Zoho fields."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.comparing import Expected, Person, To
from tests.pairs.rsoft_company import CHANGED, MADE, former

_TIMES: Mapping[str, Any] = {"Source Created Time": MADE, "Source Modified Time": CHANGED}
_OMAR, _DANA, _ADMIN = Person("owner1@example.com"), Person("dispatch@example.com"), Person("admin@example.com")
_MEERA, _NILGIRI = To("Contacts", former("contacts", "CON-1")), To("Accounts", former("companies", "COM-1"))


def contact(number: int, values: Mapping[str, Any]) -> Expected:
    return Expected("Contacts", former("contacts", f"CON-{number}"), values)


CONTACTS = [
    contact(
        1,
        {
            "Salutation": "Ms.",
            "First Name": "Meera",
            "Last Name": "Iyer",
            "Account Name": _NILGIRI,
            "Email": "meera@nilgiri.example.com",
            "Title": "Director",
            "Mobile": "+919840012345",
            "Other Phone": "+919840054321",
            "WhatsApp Number": "+919840099999",
            "Phones At Source": "098400 12345 / +91-9840054321",
            "Mailing Street": "4, Temple Street",
            "Mailing City": "Chennai",
            "Mailing State": "Tamil Nadu",
            "Mailing Zip": "600004",
            "Mailing Country": "India",
            "Lifecycle Stage": "Prospect",
            "Description": "Prefers calls\nafter 5 PM",
            **_TIMES,
        },
    ),
    contact(3, {"First Name": "Karthik", "Email": "meera@nilgiri.example.com", "Account Name": _NILGIRI}),
    contact(
        4, {"First Name": None, "Last Name": "Lakshmi", "Account Name": To("Accounts", former("companies", "COM-5"))}
    ),
    contact(
        9, {"First Name": "प्रिया", "Last Name": "शर्मा", "Other Phone": "+919444022222", "More Phones": "9444033333"}
    ),
]
LEADS = [
    Expected(
        "Leads",
        former("leads", "LEA-1"),
        {
            "First Name": "Farah",
            "Last Name": "Khan",
            "Company": "Surya Traders",
            "Email": "farah@example.net",
            "Mobile": "+919812345678",
            "City": "Pune",
            "State": "Maharashtra",
            "Lead Source": "IndiaMART",
            "Lead Status": "Interested",
            "Lead Score": Decimal(87),
            "Enquiry ID": "ENQ/7",
            "Requirement": "10 kg tea\nweekly",
            "Next Follow Up": date(2025, 1, 14),
            "Description": "Sample sent",
            "Owner": _OMAR,
            **_TIMES,
        },
    ),
    Expected("Leads", former("leads", "LEA-4"), {"Last Name": "सुनीता", "Lead Status": "Lost Lead"}),
    contact(
        8,
        {
            "Converted Lead ID": "LEA-2",
            "Converted Time": datetime(2024, 11, 19, 13, 0, tzinfo=UTC),
            "Lead Source": "Website",
            "Lead Status At Source": "Qualified",
            "Lead Company": "Konark",
            "Lead Score": Decimal(55),
            "Enquiry ID": "ENQ/8",
            "Requirement": "Machine",
        },
    ),
]
COMPANIES = [
    Expected(
        "Accounts",
        former("companies", "COM-1"),
        {
            "Account Name": "Nilgiri Tea Exports Pvt Ltd",
            "Industry": "Agriculture",
            "Company Size": "51-200",
            "Phone": "+914424567890",
            "Phones At Source": "044-24567890 / 98765 43210",
            "More Phones": "98765 43210",
            "Website": "https://www.nilgiri.example.com",
            "Company Email": "office@nilgiri.example.com",
            "GST Number": "33AAAAA0000A1Z5",
            "PAN": "AAAAA0000A",
            "Billing Street": "12, Mount Road",
            "Billing City": "Chennai",
            "Billing State": "Tamil Nadu",
            "Billing Code": "600002",
            "Billing Country": "India",
            "Owner": _OMAR,
            **_TIMES,
        },
    )
]
DEALS = [
    Expected(
        "Deals",
        former("deals", "DEA-1"),
        {
            "Deal Name": "Tea machines",
            "Amount": Decimal(375_000),
            "Probability": 5,
            "Account Name": _NILGIRI,
            "Contact Name": _MEERA,
            "Closing Date": date(2025, 2, 28),
            "Expected Close Date": date(2025, 2, 28),
            "Description": "First visit done",
            "Owner": _OMAR,
            **_TIMES,
        },
    ),
    Expected(
        "Deals",
        former("deals", "DEA-2"),
        {
            "Amount": Decimal(125_000),
            "Account Name": To("Accounts", former("companies", "COM-5")),
            "Contact Name": To("Contacts", former("contacts", "CON-4")),
            "Closing Date": date(2024, 12, 20),
            "Expected Close Date": date(2024, 12, 31),
            "Closed Reason": "Best price",
        },
    ),
    Expected(
        "Deals",
        former("deals", "DEA-5"),
        {"Amount": Decimal(20_000_000), "Reason For Loss": "Chose competitor", "Closed Reason": "Chose competitor"},
    ),
]
STAGES = [
    Expected(
        "Deals",
        former("deals", f"DEA-{number}"),
        {"Pipeline": line, "Stage": stage, "Source Stage": stage, "Source Pipeline": line},
    )
    for number, stage, line in (
        (1, "Site Survey", "Sales Pipeline"),
        (2, "Order Won", "AMC Renewals"),
        (5, "Order Lost", "Sales Pipeline"),
    )
]
ACTIVITIES = [
    Expected(
        "Calls",
        former("activities", "ACT-1", "call"),
        {
            "Subject": "Price talk",
            "Call Type": "Inbound",
            "Call Start Time": datetime(2024, 11, 20, 5, 30, tzinfo=UTC),
            "Call Duration": "00:04",
            "Minutes": Decimal(4),
            "Call Result": "Answered",
            "Description": "Asked for 5% off",
            "Recorded": "Yes",
            "Contact Name": _MEERA,
            "Owner": _DANA,
            "Source Created Time": datetime(2024, 11, 19, 4, 0, tzinfo=UTC),
        },
    ),
    # A call with a converted lead belongs to the contact it became; four and a half minutes fill five.
    Expected(
        "Calls",
        former("activities", "ACT-7", "call"),
        {
            "Contact Name": To("Contacts", former("contacts", "CON-8")),
            "Call Duration": "00:05",
            "Minutes": Decimal("4.5"),
        },
    ),
    Expected(
        "Calls",
        former("activities", "ACT-10", "call"),
        {"Contact Name": _MEERA, "Related To": To("Cases", former("tickets", "TKT-1")), "Call Duration": "00:01"},
    ),
    Expected(
        "Meetings",
        former("activities", "ACT-4", "meeting"),
        {
            "Title": "Factory visit",
            "From": datetime(2024, 11, 25, 8, 30, tzinfo=UTC),
            "To": datetime(2024, 11, 25, 10, 0, tzinfo=UTC),
            "Location": "Coonoor",
            "Description": "Saw the line",
            "Outcome": "Good",
            "Related To": _NILGIRI,
            "Owner": _DANA,
        },
    ),
    Expected(
        "Tasks",
        former("activities", "ACT-6", "task"),
        {
            "Subject": "Send samples",
            "Due Date": date(2025, 1, 13),
            "Due Time": datetime(2025, 1, 13, 12, 30, tzinfo=UTC),
            "Status": "Not Started",
            "Priority": "High",
            "Description": "Three kinds",
            "Related To": To("Deals", former("deals", "DEA-1")),
            "Owner": _OMAR,
        },
    ),
]
TICKETS = [
    Expected(
        "Cases",
        former("tickets", "TKT-1"),
        {
            "Subject": "Wrong GSTIN",
            "Ticket Number": "TKT-1",
            "Status": "Closed",
            "Source Status": "Resolved",
            "Priority": "Highest",
            "Case Origin": "Chat",
            "Source Channel": "Chat",
            "Related To": _MEERA,
            "Account Name": _NILGIRI,
            "Description": "Invoice 7 shows another number",
            "Solution": "New invoice sent",
            "Closed Time": datetime(2024, 11, 29, 7, 30, tzinfo=UTC),
            "Owner": _DANA,
            "Source Created Time": datetime(2024, 11, 28, 3, 29, tzinfo=UTC),
        },
    )
]
TAGS = [
    Expected("Accounts", former("companies", "COM-1"), {"Source Tags": frozenset({"VIP", "Expo"})}),
    contact(1, {"Source Tags": frozenset({"Hot", "GST Pending", "Repeat Buyer"})}),
    Expected("Leads", former("leads", "LEA-1"), {"Source Tags": frozenset({"Dealer"})}),
    Expected("Deals", former("deals", "DEA-2"), {"Source Tags": frozenset({"Hot", "Expo"})}),
]
OWNERS = [
    contact(1, {"Owner": _DANA, "Owner At Source": "Dana Field"}),
    Expected("Deals", former("deals", "DEA-2"), {"Owner": _ADMIN, "Owner At Source": "Selvi Raman"}),
    Expected("Deals", former("deals", "DEA-5"), {"Owner": _ADMIN, "Owner At Source": "Old Partner"}),
]
CUSTOM_FIELDS = [
    Expected("Accounts", former("companies", "COM-1"), {"Deposit Paid": Decimal(25_000_000)}),
    contact(
        1,
        {
            "Showroom Guide": "Kumaran",
            "Date of Visit": date(2024, 12, 13),
            "Budget": Decimal(150_000),
            "Referred By": "Asha",
            "Loan Required": True,
            "Old Dealer Code": "D-9",
        },
    ),
    Expected("Deals", former("deals", "DEA-1"), {"Payment Terms": "60 days"}),
    Expected("Cases", former("tickets", "TKT-1"), {"Serial Number": "SN-77"}),
]
ROWS: Mapping[str, list[Expected]] = {
    "contact": CONTACTS,
    "lead": LEADS,
    "company": COMPANIES,
    "deal": DEALS,
    "pipeline_stage": STAGES,
    "activity": ACTIVITIES,
    "ticket": TICKETS,
    "tag": TAGS,
    "owner": OWNERS,
    "custom_field": CUSTOM_FIELDS,
}
