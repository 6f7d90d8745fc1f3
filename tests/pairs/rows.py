"""What each row of the pair's table promises for the hand-made company, as records with labels of Zoho fields."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.company import STATUSES, WRITTEN, Company
from tests.pairs.comparing import Expected, Person, To

Row = Callable[[Company], list[Expected]]
_TIMES: Mapping[str, Any] = {"Source Created Time": WRITTEN, "Source Modified Time": WRITTEN}


def clients(company: Company) -> list[Expected]:
    values = {
        "Account Name": "Alder & Söhne Facility “Süd”",
        "Parent Account": To("Accounts", company.former("parent client")),
        "Primary Contact": To("Contacts", company.former("contact")),
        "Account Type": "Former Customer",
        "Industry": "Healthcare",
        "Phone": "(217) 555-0142",
        "Fax": "+4930901820",
        "Website": "https://alder-soehne.example.com",
        "Client Email": "office@alder-soehne.example.com",
        "Client Number": "C-000417",
        "Billing Street": "Löwenweg 3\nHinterhaus",
        "Billing City": "Springfield",
        "Billing State": "Illinois",
        "Billing Code": "62701",
        "Billing Country": "USA",
        "Shipping Street": "Dock 4",
        "Shipping City": "Decatur",
        "Shipping State": "IL",
        "Shipping Code": "62521-0099",
        "Shipping Country": "United States",
        "On Stop": True,
        "Customer Since": date(2011, 10, 30),
        "Credit Limit": Decimal("12500.55"),
        "Service Tier": "Gold",
        "Sectors": frozenset({"Public", "Critical Site"}),
        "Description": "Gate code at reception.\nCall first; ask for José.",
        "Owner": Person("owner2@example.com"),
        **_TIMES,
    }
    return [Expected("Accounts", company.former("client"), values)]


def contacts(company: Company) -> list[Expected]:
    values = {
        "First Name": "Marta",
        "Last Name": "Quill-Ørsted",
        "Account Name": To("Accounts", company.former("client")),
        "Email": "marta.quill@alder-soehne.example.com",
        "Phone": "217 555 0143",
        "Mobile": "+442079460018",
        "Title": "Facility Manager",
        "Mailing Street": "Dock 4",
        "Mailing City": "Decatur",
        "Mailing State": "IL",
        "Mailing Zip": "62521",
        "Mailing Country": "United States",
        "Primary Contact Flag": True,
        "Date of Birth": date(1979, 2, 28),
        "Preferred Channel": "SMS",
        "Description": "Prefers mornings.",
        "Owner": Person("owner3@example.com"),
        **_TIMES,
    }
    by_email = {"Last Name": "Dispatch", "Owner": Person("dispatch@example.com")}
    return [
        Expected("Contacts", company.former("contact"), values),
        Expected("Contacts", company.former("user contact"), by_email),
    ]


def work_orders(company: Company) -> list[Expected]:
    number = company.numbers["order Completed"]
    values = {
        "Deal Name": f"{number} - Replace fan motor",
        "Work Order Number": number,
        "Work Order Subject": "Replace fan motor",
        "Service Type": "Repair",
        "Priority": "Critical",
        "Account Name": To("Accounts", company.former("client")),
        "Contact Name": To("Contacts", company.former("contact")),
        "Technician": To("Contacts", company.former("technician", "technician")),
        "Serviced Asset": To("Assets", company.former("asset")),
        "Service Contract": To("Contracts", company.former("contract")),
        "Parent Work Order": To("Deals", company.former("parent order")),
        "Amount": Decimal("418.71"),
        "Subtotal": Decimal("410.00"),
        "Discount Percent": Decimal(5),
        "Tax Amount": Decimal("29.21"),
        "Closing Date": date(2026, 2, 10),
        "Service Start": datetime(2026, 2, 10, 13, 15, tzinfo=UTC),
        "Service End": datetime(2026, 2, 10, 17, 45, 30, tzinfo=UTC),
        "Duration Minutes": Decimal("270.5"),
        "Labor Hours": Decimal("4.25"),
        "Service Location": "Decatur Plant",
        "Service Street": "800 E Garfield Ave, hall B",
        "Service City": "Decatur",
        "Service State": "IL",
        "Service Postal Code": "62526",
        "Service Country": "USA",
        "Safety Checked": True,
        "Access Code": "4417#",
        "Description": "Bearing noise on start.",
        "Owner": Person("owner1@example.com"),
        **_TIMES,
    }
    return [Expected("Deals", company.former("order Completed"), values)]


def statuses(company: Company) -> list[Expected]:
    """Every status leads to the stage of its name, and stays readable as it was."""
    return [
        Expected("Deals", company.former(f"order {status}"), {"Stage": status, "Source Status": status})
        for status in STATUSES
    ]


def technicians(company: Company) -> list[Expected]:
    values = {
        "First Name": "Iris",
        "Last Name": "van Berg",
        "Email": "iris@field.example.net",
        "Secondary Email": "owner1@example.com",
        "Phone": "+12175550190",
        "Technician Flag": True,
        "Technician Active": True,
        "Resource Type": "Technician",
        "Territory": "North",
        "Skills": frozenset({"Boilers", "Electrical"}),
        "Description": "Certified for gas.",
        "Owner": Person("owner1@example.com"),
        **_TIMES,
    }
    alone = {
        "First Name": None,
        "Last Name": "Ogden",
        "Technician Flag": True,
        "Technician Active": False,
        "Resource Type": "Dispatcher",
        "Owner": Person("admin@example.com"),
    }
    return [
        Expected("Contacts", company.former("technician", "technician"), values),
        Expected("Contacts", company.former("lone technician", "technician"), alone),
    ]


def contracts(company: Company) -> list[Expected]:
    values = {
        "Contract Name": "Full care 2026",
        "Contract Number": company.numbers["contract"],
        "Account": To("Accounts", company.former("client")),
        "Contact": To("Contacts", company.former("contact")),
        "Contract Type": "Full Maintenance",
        "Start Date": date(2026, 1, 1),
        "End Date": date(2028, 12, 31),
        "Term Months": 36,
        "Contract Status": "Active",
        "Monthly Value": Decimal("845.10"),
        "Billing Frequency": "Quarterly",
        "Renewal Date": date(2028, 10, 2),
        "Total Value": Decimal("30423.60"),
        "Special Terms": "Response within 4 hours.",
        "Owner": Person("owner4@example.com"),
        **_TIMES,
    }
    return [Expected("Contracts", company.former("contract"), values)]


def assets(company: Company) -> list[Expected]:
    values = {
        "Asset Name": "Fan coil 1-07",
        "Serial Number": "SN-88-0042",
        "Account": To("Accounts", company.former("client")),
        "Contact": To("Contacts", company.former("contact")),
        "Product": To("Products", company.former("part")),
        "Parent Asset": To("Assets", company.former("parent asset")),
        "Location Name": "Decatur Plant",
        "Location Street": "800 E Garfield Ave",
        "Location City": "Decatur",
        "Location State": "IL",
        "Location Postal Code": "62526",
        "Location Country": "USA",
        "Location Latitude": Decimal("39.855703"),
        "Location Longitude": Decimal("-88.937341"),
        "Location Time Zone": "America/Chicago",
        "Location Access Notes": "Badge at gate 2.",
        "Install Date": date(2019, 6, 1),
        "Purchase Date": date(2019, 5, 12),
        "Usage End Date": date(2034, 5, 31),
        "Warranty Expiry": date(2027, 6, 1),
        "Asset Status": "In Repair",
        "Price": Decimal("2310.75"),
        "Quantity": Decimal(2),
        "Manufacturer": "Northwind",
        "Model": "FC-300",
        "Owner": Person("owner4@example.com"),
        **_TIMES,
    }
    history = {
        "Subject": "Quarterly service",
        "Related To": To("Assets", company.former("asset")),
        "Account": To("Accounts", company.former("client")),
    }
    return [
        Expected("Assets", company.former("asset"), values),
        Expected("Tasks", company.former("asset task"), history),
    ]


def parts(company: Company) -> list[Expected]:
    product = {
        "Product Name": "Filter F7 592×592",
        "Part Number": "FLT-592",
        "Product Code": "FLT-592",
        "Stock Keeping Unit": "SKU-592-7",
        "Product Category": "Filter",
        "Product Active": True,
        "Unit Price": Decimal("41.90"),
        "Unit Cost": Decimal("18.35"),
        "Inventory Qty": Decimal("127.5"),
        "Description": "Bag filter.",
        **_TIMES,
    }
    used = {
        "Work Order Part Name": f"{company.numbers['order Completed']} - Filter F7 592×592",
        "Deal": To("Deals", company.former("order Completed")),
        "Product": To("Products", company.former("part")),
        "Quantity": Decimal("3.5"),
        "Unit Price": Decimal("39.90"),
        "Part Description": "One spare left on site.",
        **_TIMES,
    }
    return [
        Expected("Products", company.former("part"), product),
        Expected("Work Order Parts", company.former("part used"), used),
    ]


def history(company: Company) -> list[Expected]:
    order = To("Deals", company.former("order Completed"))
    shared = {
        "Related To": order,
        "Contact Name": To("Contacts", company.former("technician", "technician")),
        "Client Contact": To("Contacts", company.former("contact")),
        "Account": To("Accounts", company.former("client")),
        **_TIMES,
    }
    task = {
        "Subject": "Quarterly service",
        "Type": "Service Call",
        "Status": "Completed",
        "Priority": "High",
        "Due Date": date(2026, 2, 11),
        "Completed Time": datetime(2026, 2, 11, 21, 5, tzinfo=UTC),
        "Action Taken": "Cleaned and tested",
        "Description": "All readings normal.",
        "Archived At Source": False,
        "Owner": Person("owner1@example.com"),
        **shared,
    }
    on_client = {
        "Related To": To("Accounts", company.former("client")),
        "Account": To("Accounts", company.former("client")),
    }
    meeting = {
        "Title": "Inspection visit",
        "From": datetime(2026, 4, 2, 14, 0, tzinfo=UTC),
        "To": datetime(2026, 4, 2, 15, 30, tzinfo=UTC),
        "All day": False,
        "Location": "Decatur Plant, gate 2",
        "Description": "Bring filter.",
        "Owner": Person("owner1@example.com"),
        **shared,
    }
    return [
        Expected("Tasks", company.former("task"), task),
        Expected("Tasks", company.former("client task"), on_client),
        Expected("Meetings", company.former("visit"), meeting),
        *(_visit(company, number, shared) for number in (1, 2, 3)),
    ]


def _visit(company: Company, number: int, shared: Mapping[str, Any]) -> Expected:
    """One occurrence of a recurring visit: a task of its own on the same deal."""
    values = {
        "Subject": "Inspection visit",
        "Type": "Service Call",
        "Status": "Not Started",
        "Due Date": date(2026, 5, number),
        "Visit Start": datetime(2026, 5, number, 14, 0, tzinfo=UTC),
        "Visit End": datetime(2026, 5, number, 15, 30, tzinfo=UTC),
        "Visit Location": "Decatur Plant, gate 2",
        "Recurrence Group": "R-7",
        "Description": "Bring filter.",
        **shared,
    }
    return Expected("Tasks", company.former(f"visit {number}", "visit"), values)
