"""A small Indian company made by hand: an RSoft export with one record of every kind, and dirt of every kind."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tests.pairs.rsoft_people import COMPANIES, CONTACTS, LEADS, STAGES, STAMPS, USERS, Row
from tests.pairs.uploading import csv_file

MADE = datetime(2024, 11, 15, 9, 37, tzinfo=UTC)
CHANGED = datetime(2025, 1, 18, 4, 45, tzinfo=UTC)


def former(name: str, record_id: str, part: str = "") -> str:
    """The external id that a record carries at the destination."""
    return f"rsoft:{name}:{record_id}{f':{part}' if part else ''}"


def _file(*rows: Row) -> bytes:
    """A CSV file with the headings that occur, in the order of their first row."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    return csv_file("|".join(headings), ([row.get(heading, "") for heading in headings] for row in rows))


_DEALS: Sequence[Row] = (
    {
        "Deal Id": "DEA-1",
        "Deal Name": "Tea machines",
        "Company": "COM-1",
        "Contact": "CON-1",
        "Pipeline": "Sales Pipeline",
        "Stage": "Site Survey",
        "Amount": "Rs. 3.75 L",
        "Probability": "5%",
        "Expected Close Date": "28-02-2025",
        "Closed On": "",
        "Closed Reason": "",
        "Owner": "U3",
        "Tags": "Hot",
        "Remarks": "First visit done",
        **STAMPS,
        "Payment Terms": "60 days",
    },
    {
        "Deal Id": "DEA-2",
        "Deal Name": "Annual supply",
        "Company": "KONARK &  Sons",
        "Contact": "lakshmi",
        "Pipeline": "AMC Renewals",
        "Stage": "Order Won",
        "Amount": "₹1,25,000.00",
        "Probability": "100%",
        "Expected Close Date": "31-12-2024",
        "Closed On": "20-12-2024",
        "Closed Reason": "Best price",
        "Owner": "Selvi Raman",
        "Tags": "hot",
        "Payment Terms": "Advance",
        **STAMPS,
    },
    {
        "Deal Id": "DEA-3",
        "Deal Name": "Twins",
        "Company": "COM-5",
        "Contact": "Ramesh Rao",
        "Stage": "Site Survey",
        "Amount": "5000",
    },
    {
        "Deal Id": "DEA-4",
        "Deal Name": "No firm",
        "Company": "Unknown Traders",
        "Contact": "CON-1",
        "Stage": "Site Survey",
    },
    {
        "Deal Id": "DEA-5",
        "Deal Name": "Lost tender",
        "Company": "COM-5",
        "Contact": "CON-4",
        "Stage": "Order Lost",
        "Pipeline": "Sales Pipeline",
        "Amount": "2 Cr",
        "Probability": "0%",
        "Closed On": "16-01-2025",
        "Closed Reason": "Chose competitor",
        "Owner": "Old Partner",
    },
)
_ENTERED = {"Created On": "19/11/2024 09:30 AM"}
_ACTIVITIES: Sequence[Row] = (
    {
        "Activity Id": "ACT-1",
        "Type": "Call",
        "Related Type": "Contact",
        "Related To": "CON-1",
        "Subject": "Price talk",
        "Description": "Asked for 5% off",
        "From": "",
        "To": "",
        "Cc": "",
        "Direction": "Inbound",
        "Status": "Completed",
        "Priority": "",
        "Due On": "",
        "Done On": "20/11/2024 11:00 AM",
        "Duration": "4 min",
        "Location": "",
        "Outcome": "Answered",
        "Recording": "Yes",
        "Owner": "U2",
        **_ENTERED,
    },
    {
        "Activity Id": "ACT-2",
        "Type": "Email",
        "Related Type": "Deal",
        "Related To": "DEA-2",
        "Subject": "Quotation",
        "Description": "Please find attached.\nRegards",
        "From": "omar@example.com",
        "To": "lakshmi@konark.example.org",
        "Cc": "boss@example.com",
        "Direction": "Outbound",
        "Done On": "21/11/2024 09:05 AM",
        "Owner": "Omar Sales",
    },
    {
        "Activity Id": "ACT-3",
        "Type": "SMS",
        "Related Type": "Lead",
        "Related To": "LEA-1",
        "Subject": "Reminder",
        "Description": "Sample is on its way",
        "Done On": "22/11/2024 10:00 AM",
    },
    {
        "Activity Id": "ACT-4",
        "Type": "Meeting",
        "Related Type": "Company",
        "Related To": "COM-1",
        "Subject": "Factory visit",
        "Description": "Saw the line",
        "Due On": "25/11/2024 02:00 PM",
        "Duration": "1:30:00",
        "Location": "Coonoor",
        "Outcome": "Good",
        "Owner": "U2",
        "Status": "Completed",
    },
    {
        "Activity Id": "ACT-5",
        "Type": "Remark",
        "Related Type": "Contact",
        "Related To": "Lakshmi",
        "Subject": "Remark",
        "Description": "Knows the owner",
        "Owner": "Old Partner",
    },
    {
        "Activity Id": "ACT-6",
        "Type": "Task",
        "Related Type": "Deal",
        "Related To": "DEA-1",
        "Subject": "Send samples",
        "Description": "Three kinds",
        "Status": "Open",
        "Priority": "High",
        "Due On": "13/01/2025 06:00 PM",
        "Owner": "U3",
    },
    {
        "Activity Id": "ACT-7",
        "Type": "Phone Call",
        "Related Type": "Lead",
        "Related To": "LEA-2",
        "Subject": "Follow-up",
        "Description": "Wants a demo",
        "Direction": "Outbound",
        "Done On": "26/11/2024 05:00 PM",
        "Duration": "00:04:30",
    },
    {"Activity Id": "ACT-8", "Type": "Note", "Related Type": "Deal", "Related To": "DEA-99", "Description": "Lost"},
    {
        "Activity Id": "ACT-9",
        "Type": "WhatsApp",
        "Related Type": "Contact",
        "Related To": "CON-1",
        "Description": "Sent the list",
        "Done On": "27/11/2024 08:15 PM",
    },
    {
        "Activity Id": "ACT-10",
        "Type": "Call",
        "Related Type": "Ticket",
        "Related To": "TKT-1",
        "Subject": "About the ticket",
        "Description": "Called back",
        "Direction": "Outbound",
        "Done On": "28/11/2024 12:00 PM",
        "Owner": "U2",
    },
)
_TICKETS: Sequence[Row] = (
    {
        "Ticket Id": "TKT-1",
        "Subject": "Wrong GSTIN",
        "Description": "Invoice 7 shows <b>another</b> number",
        "Status": "Resolved",
        "Priority": "Urgent",
        "Channel": "Chat",
        "Contact": "CON-1",
        "Company": "COM-1",
        "Assignee": "Dana Field",
        "Resolution": "New invoice sent",
        "Created On": "28/11/2024 08:59 AM",
        "Closed On": "29/11/2024 01:00 PM",
        "Serial Number": "SN-77",
    },
    {
        "Ticket Id": "TKT-2",
        "Subject": "Who",
        "Status": "Open",
        "Contact": "Ramesh Rao",
        "Created On": "28/11/2024 10:00 AM",
    },
)
_MESSAGES: Sequence[Row] = (
    {
        "Message Id": "MSG-1",
        "Ticket Id": "TKT-1",
        "Author": "Meera Iyer",
        "Author Type": "Customer",
        "Channel": "Chat",
        "Sent On": "28/11/2024 09:00 AM",
        "Message": "The number is wrong.",
    },
    {
        "Message Id": "MSG-2",
        "Ticket Id": "TKT-1",
        "Author": "Dana Field",
        "Author Type": "Agent",
        "Channel": "Chat",
        "Sent On": "28/11/2024 09:12 AM",
        "Message": "We check it.\nOne moment.",
    },
)
_FIELDS = ("Showroom Guide", "Date of Visit", "Budget", "Referred By", "Loan Required", "Old Dealer Code")

FILES: Mapping[str, bytes] = {
    "users.csv": _file(*USERS),
    "pipeline_stages.csv": _file(*STAGES),
    "companies.csv": _file(*COMPANIES),
    "contacts.csv": _file(*CONTACTS),
    "leads.csv": _file(*LEADS),
    "deals.csv": _file(*_DEALS),
    "activities.csv": _file(*_ACTIVITIES),
    "tickets.csv": _file(*_TICKETS),
    "ticket_conversations.csv": _file(*_MESSAGES),
    "tags.csv": _file(
        {"Record Type": "Contact", "Record Id": "CON-1", "Tag": "HOT"},
        {"Record Type": "Contact", "Record Id": "CON-1", "Tag": "Repeat Buyer"},
        {"Record Type": "Deals", "Record Id": "DEA-2", "Tag": "Expo"},
        {"Record Type": "Lead", "Record Id": "LEA-1", "Tag": "dealer"},
    ),
    "custom_fields.csv": _file(
        *(
            {"Module": "Contacts", "Field Name": name, "Active": "No" if name.startswith("Old") else "Yes"}
            for name in _FIELDS
        )
    ),
    "workflows.csv": _file(
        {
            "Workflow Id": "WF-1",
            "Name": "Won alert",
            "Module": "Deals",
            "Trigger": "Stage is Order Won",
            "Action": "SMS to manager",
            "Active": "Yes",
        },
        {
            "Workflow Id": "WF-2",
            "Name": "Greeting",
            "Module": "Contacts",
            "Trigger": "Date",
            "Action": "Send WhatsApp template",
            "Active": "No",
        },
    ),
    "extraction_manifest.csv": _file(
        {"Order": "1", "Object": "companies", "Rows": "5"},
        {"Order": "2", "Object": "contacts", "Rows": "10"},
        {"Order": "3", "Object": "quotes", "Rows": "3"},
    ),
}
