"""A small Indian company made by hand: an RSoft export with one record of every kind and the dirt that the pair heeds."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tests.pairs.uploading import csv_file

MADE = datetime(2024, 11, 5, 9, 37, tzinfo=UTC)
CHANGED = datetime(2025, 1, 18, 4, 45, tzinfo=UTC)
_STAMPS = {"Created On": "05/11/2024 03:07 PM", "Modified On": "18/01/2025 10:15 AM"}
Row = Mapping[str, str]


def former(name: str, record_id: str, part: str = "") -> str:
    """The external id that a record carries at the destination."""
    return f"rsoft:{name}:{record_id}{f':{part}' if part else ''}"


def _file(*rows: Row) -> bytes:
    """A CSV file with the headings that occur, in the order of their first row."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    return csv_file("|".join(headings), ([row.get(heading, "") for heading in headings] for row in rows))


_USERS: Sequence[Row] = (
    {"User Id": "U1", "Name": "Account Admin", "Email": "admin@example.com", "Role": "Administrator", "Active": "Yes"},
    {"User Id": "U2", "Name": "Dana Field", "Email": "Dispatch@Example.com", "Role": "Manager", "Active": "Yes"},
    {"User Id": "U3", "Name": "Omar Sales", "Email": "owner1@example.com", "Role": "Executive", "Active": "Yes"},
    {"User Id": "U4", "Name": "Selvi Raman", "Email": "selvi@example.org", "Role": "Executive", "Active": "No"},
)
# The positions are not in the order of the rows: the account's administrator has moved a stage.
_STAGES: Sequence[Row] = tuple(
    {"Pipeline": pipeline, "Stage": stage, "Position": position, "Probability": chance, "Outcome": outcome}
    for pipeline, stage, position, chance, outcome in (
        ("Sales Pipeline", "Enquiry Received", "2", "10%", "Open"),
        ("Sales Pipeline", "Site Survey", "1", "5%", "Open"),
        ("Sales Pipeline", "Order Won", "3", "100%", "Won"),
        ("Sales Pipeline", "Order Lost", "4", "0%", "Lost"),
        ("AMC Renewals", "Due for Renewal", "1", "30%", "Open"),
        ("AMC Renewals", "Order Won", "2", "100%", "Won"),
    )
)
_COMPANIES: Sequence[Row] = (
    {
        "Company Id": "COM-1",
        "Company Name": "Nilgiri Tea Exports Pvt Ltd",
        "Industry": "Agriculture",
        "Company Size": "51-200",
        "Website": "www.nilgiri.example.com",
        "Phone": "044-24567890 / 98765 43210",
        "Email": "Office@Nilgiri.example.com",
        "GST Number": "33AAAAA0000A1Z5",
        "PAN": "AAAAA0000A",
        "Address": "12, Mount Road",
        "City": "Chennai",
        "State": "Tamil Nadu",
        "Pincode": "600002",
        "Country": "India",
        "Owner": "Omar Sales",
        "Tags": "VIP, vip, Expo",
        **_STAMPS,
        "Annual Turnover": "2.5 Cr",
    },
    {"Company Id": "COM-2", "Company Name": "Nilgiri Tea Exports Pvt Ltd", "Website": "www.nilgiri.example.com", **_STAMPS},
    {"Company Id": "COM-3", "Company Name": "Sagar Motors", "Website": "sagar1.example.org", "Annual Turnover": "₹1,20,00,000.00"},
    {"Company Id": "COM-4", "Company Name": "SAGAR  motors", "Website": "sagar2.example.org", "Owner": "U2"},
    {"Company Id": "COM-5", "Company Name": "Konark & Sons", "Industry": "Retail", "Annual Turnover": "INR 75,000"},
)  # fmt: skip
_CONTACTS: Sequence[Row] = (
    {
        "Contact Id": "CON-1",
        "Salutation": "Ms.",
        "First Name": "Meera",
        "Last Name": "Iyer",
        "Company Id": "COM-1",
        "Company Name": "Nilgiri Tea Exports Pvt Ltd",
        "Designation": "Director",
        "Mobile": "098400 12345 / +91-9840054321",
        "Alternate Mobile": "",
        "WhatsApp Number": "919840099999",
        "Email": "Meera@Nilgiri.Example.com",
        "Address": "4, Temple Street",
        "City": "Chennai",
        "State": "Tamil Nadu",
        "Pincode": "600004",
        "Country": "India",
        "Lifecycle Stage": "Prospect",
        "Owner": "dispatch@example.com",
        "Tags": "Hot, GST Pending",
        "Remarks": "Prefers calls\nafter 5 PM",
        **_STAMPS,
        "Preferred Language": "Tamil",
        "Date of Visit": "13-12-2024",
        "Budget": "1.5 L",
        "Referred By": "Asha",
        "Loan Required": "Yes",
        "Old Dealer Code": "D-9",
    },
    {"Contact Id": "CON-2", "First Name": "Meera", "Last Name": "Iyer", "Company Id": "COM-1", "Email": "meera@nilgiri.example.com"},
    {"Contact Id": "CON-3", "First Name": "Karthik", "Last Name": "Iyer", "Company Id": "COM-2",
     "Email": "meera@nilgiri.example.com", "Budget": "₹75,000.00", "Loan Required": "No"},
    {"Contact Id": "CON-4", "First Name": "Lakshmi", "Company Name": "KONARK &  sons", "Mobile": "9444012345",
     "Email": "lakshmi@konark.example.org", "Lifecycle Stage": "Former Customer", "Owner": "U3"},
    {"Contact Id": "CON-5", "First Name": "கவிதா", "Last Name": "முருகன்", "Company Name": "Sagar Motors"},
    {"Contact Id": "CON-6", "First Name": "Ramesh", "Last Name": "Rao", "Company Id": "COM-5"},
    {"Contact Id": "CON-7", "First Name": "Ramesh", "Last Name": "Rao", "Company Id": "COM-5"},
    {"Contact Id": "CON-8", "First Name": "Anand", "Last Name": "Bose", "Company Id": "COM-5",
     "Email": "anand@konark.example.org", "Lifecycle Stage": "Customer"},
    {"Contact Id": "CON-9", "First Name": "प्रिया", "Last Name": "शर्मा", "Company Id": "COM-5",
     "Mobile": "+91 94440 11111, 9444022222; 9444033333", "Owner": "Old Partner"},
)  # fmt: skip
_LEADS: Sequence[Row] = (
    {
        "Lead Id": "LEA-1",
        "Enquiry Id": "ENQ/7",
        "Name": "Farah Khan",
        "Company": "Surya Traders",
        "Mobile": "09812345678",
        "Email": "farah@example.net",
        "City": "Pune",
        "State": "Maharashtra",
        "Lead Source": "IndiaMART",
        "Requirement": "10 kg tea<br>weekly",
        "Lead Status": "Interested",
        "Lead Score": "87",
        "Next Follow-up Date": "14-01-2025",
        "Remarks": "Sample sent",
        "Assigned To": "owner1@example.com",
        "Converted Contact Id": "",
        "Converted On": "",
        "Tags": "Dealer",
        **_STAMPS,
    },
    {"Lead Id": "LEA-2", "Enquiry Id": "ENQ/8", "Name": "Anand Bose", "Company": "Konark", "Lead Source": "Website",
     "Requirement": "Machine", "Lead Status": "Qualified", "Lead Score": "55", "Assigned To": "Dana Field",
     "Converted Contact Id": "CON-8", "Converted On": "19/11/2024 06:30 PM"},
    {"Lead Id": "LEA-3", "Name": "Gone Away", "Lead Source": "Website", "Converted Contact Id": "CON-99"},
    {"Lead Id": "LEA-4", "Name": "सुनीता", "Lead Source": "Website", "Lead Status": "Not Interested"},
)  # fmt: skip
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
        **_STAMPS,
        "Payment Terms": "60 days",
    },
    {"Deal Id": "DEA-2", "Deal Name": "Annual supply", "Company": "KONARK &  Sons", "Contact": "lakshmi",
     "Pipeline": "AMC Renewals", "Stage": "Order Won", "Amount": "₹1,25,000.00", "Probability": "100%",
     "Expected Close Date": "31-12-2024", "Closed On": "20-12-2024", "Closed Reason": "Best price",
     "Owner": "Selvi Raman", "Tags": "hot", "Payment Terms": "Advance", **_STAMPS},
    {"Deal Id": "DEA-3", "Deal Name": "Twins", "Company": "COM-5", "Contact": "Ramesh Rao", "Stage": "Site Survey", "Amount": "5000"},
    {"Deal Id": "DEA-4", "Deal Name": "No firm", "Company": "Unknown Traders", "Contact": "CON-1", "Stage": "Site Survey"},
    {"Deal Id": "DEA-5", "Deal Name": "Lost tender", "Company": "COM-5", "Contact": "CON-4", "Stage": "Order Lost",
     "Pipeline": "Sales Pipeline", "Amount": "2 Cr", "Probability": "0%", "Closed On": "16-01-2025",
     "Closed Reason": "Chose competitor", "Owner": "Old Partner"},
)  # fmt: skip
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
    {"Activity Id": "ACT-2", "Type": "Email", "Related Type": "Deal", "Related To": "DEA-2", "Subject": "Quotation",
     "Description": "Please find attached.\nRegards", "From": "omar@example.com", "To": "lakshmi@konark.example.org",
     "Cc": "boss@example.com", "Direction": "Outbound", "Done On": "21/11/2024 09:05 AM", "Owner": "Omar Sales"},
    {"Activity Id": "ACT-3", "Type": "SMS", "Related Type": "Lead", "Related To": "LEA-1", "Subject": "Reminder",
     "Description": "Sample is on its way", "Done On": "22/11/2024 10:00 AM"},
    {"Activity Id": "ACT-4", "Type": "Meeting", "Related Type": "Company", "Related To": "COM-1", "Subject": "Factory visit",
     "Description": "Saw the line", "Due On": "25/11/2024 02:00 PM", "Duration": "1:30:00", "Location": "Coonoor",
     "Outcome": "Good", "Owner": "U2", "Status": "Completed"},
    {"Activity Id": "ACT-5", "Type": "Remark", "Related Type": "Contact", "Related To": "Lakshmi", "Subject": "Remark",
     "Description": "Knows the owner", "Owner": "Old Partner"},
    {"Activity Id": "ACT-6", "Type": "Task", "Related Type": "Deal", "Related To": "DEA-1", "Subject": "Send samples",
     "Description": "Three kinds", "Status": "Open", "Priority": "High", "Due On": "13/01/2025 06:00 PM", "Owner": "U3"},
    {"Activity Id": "ACT-7", "Type": "Phone Call", "Related Type": "Lead", "Related To": "LEA-2", "Subject": "Follow-up",
     "Description": "Wants a demo", "Direction": "Outbound", "Done On": "26/11/2024 05:00 PM", "Duration": "00:04:30"},
    {"Activity Id": "ACT-8", "Type": "Note", "Related Type": "Deal", "Related To": "DEA-99", "Description": "Lost"},
    {"Activity Id": "ACT-9", "Type": "WhatsApp", "Related Type": "Contact", "Related To": "CON-1",
     "Description": "Sent the list", "Done On": "27/11/2024 08:15 PM"},
    {"Activity Id": "ACT-10", "Type": "Call", "Related Type": "Ticket", "Related To": "TKT-1", "Subject": "About the ticket",
     "Description": "Called back", "Direction": "Outbound", "Done On": "28/11/2024 12:00 PM", "Owner": "U2"},
)  # fmt: skip
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
    {"Ticket Id": "TKT-2", "Subject": "Who", "Status": "Open", "Contact": "Ramesh Rao", "Created On": "28/11/2024 10:00 AM"},
)  # fmt: skip
_MESSAGES: Sequence[Row] = (
    {"Message Id": "MSG-1", "Ticket Id": "TKT-1", "Author": "Meera Iyer", "Author Type": "Customer", "Channel": "Chat",
     "Sent On": "28/11/2024 09:00 AM", "Message": "The number is wrong."},
    {"Message Id": "MSG-2", "Ticket Id": "TKT-1", "Author": "Dana Field", "Author Type": "Agent", "Channel": "Chat",
     "Sent On": "28/11/2024 09:12 AM", "Message": "We check it.\nOne moment."},
)  # fmt: skip
_FIELDS = ("Preferred Language", "Date of Visit", "Budget", "Referred By", "Loan Required", "Old Dealer Code")

FILES: Mapping[str, bytes] = {
    "users.csv": _file(*_USERS),
    "pipeline_stages.csv": _file(*_STAGES),
    "companies.csv": _file(*_COMPANIES),
    "contacts.csv": _file(*_CONTACTS),
    "leads.csv": _file(*_LEADS),
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
        *({"Module": "Contacts", "Field Name": name, "Active": "No" if name.startswith("Old") else "Yes"} for name in _FIELDS)
    ),
    "workflows.csv": _file(
        {"Workflow Id": "WF-1", "Name": "Won alert", "Module": "Deals", "Trigger": "Stage is Order Won",
         "Action": "SMS to manager", "Active": "Yes"},
        {"Workflow Id": "WF-2", "Name": "Greeting", "Module": "Contacts", "Trigger": "Date",
         "Action": "Send WhatsApp template", "Active": "No"},
    ),
    "extraction_manifest.csv": _file(
        {"Order": "1", "Object": "companies", "Rows": "5"},
        {"Order": "2", "Object": "contacts", "Rows": "10"},
        {"Order": "3", "Object": "quotes", "Rows": "3"},
    ),
}  # fmt: skip
