"""What each row of the pair's table promises at Freshsales: standard fields by API name, custom ones by label."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.company import WRITTEN, Company
from tests.pairs.comparing import Expected, Person, To

Row = Callable[[Company], list[Expected]]
_TIMES: Mapping[str, Any] = {"Source Created Time": WRITTEN, "Source Modified Time": WRITTEN}


def clients(company: Company) -> list[Expected]:
    account = {
        "name": "Alder & Söhne Facility “Süd”",
        "parent_sales_account_id": To("sales_accounts", company.former("parent client")),
        "phone": "(217) 555-0142",
        "Phone At Source": "(217) 555-0142",
        "website": "https://alder-soehne.example.com",
        "Client Type": "Former",
        "Industry": "Healthcare",
        "Fax": "+4930901820",
        "Client Email": "office@alder-soehne.example.com",
        "Client Number": "C-000417",
        "Billing Address": "Löwenweg 3\nHinterhaus\nSpringfield\nIllinois\n62701\nUSA",
        "Shipping Address": "Dock 4\nDecatur\nIL\n62521-0099\nUnited States",
        "On Stop": True,
        "Customer Since": date(2011, 10, 30),
        "Credit Limit": Decimal("12500.55"),
        "Service Tier": "Gold",
        "Sectors": frozenset({"Public", "Critical Site"}),
        "Description": "Gate code at reception.\nCall first; ask for José.",
        "owner_id": Person("admin@example.com"),  # nobody there has her address
        "Owner At Source": "Olga Two",
        **_TIMES,
    }
    person = {
        "first_name": "Marta",
        "last_name": "Quill-Ørsted",
        "sales_account": To("sales_accounts", company.former("client")),
        "email": "marta.quill@alder-soehne.example.com",
        "work_number": "217 555 0143",
        "mobile_number": "+442079460018",
        "Mobile At Source": "+44 20 7946 0018",
        "job_title": "Facility Manager",
        "address": "Dock 4",
        "city": "Decatur",
        "state": "IL",
        "zipcode": "62521",
        "country": "United States",
        "lifecycle_stage_id": "Customer",
        "contact_status_id": "Churned",
        "Primary Contact": True,
        "Birth Date": date(1979, 2, 28),
        "Preferred Channel": "SMS",
        "Description": "Prefers mornings.",
        **_TIMES,
    }
    by_email = {"last_name": "Dispatch", "owner_id": Person("dispatch@example.com"), "sales_account": None}
    solo = {"first_name": "Sola", "last_name": "Freelance", "email": "sola@example.org", "sales_account": None}
    return [
        Expected("sales_accounts", company.former("client"), account),
        Expected("contacts", company.former("contact"), person),
        Expected("contacts", company.former("user contact"), by_email),
        Expected("contacts", company.former("solo"), solo),
    ]


def locations(company: Company) -> list[Expected]:
    """The first location is the address; a client without any keeps the one his bills go to."""
    main = {
        "address": "800 E Garfield Ave",
        "city": "Decatur",
        "state": "IL",
        "zipcode": "62526",
        "country": "USA",
        "Service Location": "Decatur Plant",
        "Access Notes": "Badge at gate 2.",
        "Other Locations": "Annex, Pana, IL; Depot, 9 Rail Rd",
    }
    none = {"address": None, "city": None, "Service Location": None, "Other Locations": None}
    return [
        Expected("sales_accounts", company.former("client"), main),
        Expected("sales_accounts", company.former("parent client"), none),
    ]


def work_orders(company: Company) -> list[Expected]:
    """An order without recurring money is a record of a module, one under a monthly contract a deal."""
    plain_number, number = company.numbers["plain order"], company.numbers["order Completed"]
    plain = {
        "name": f"{plain_number} - Fix door",
        "Work Order Number": plain_number,
        "Subject": "Fix door",
        "Account": To("sales_accounts", company.former("client")),
        "Contact": To("contacts", company.former("contact")),
        "Technician": To("contacts", company.former("technician", "technician")),
        "Contract": To("cm_service_contract", company.former("plain contract")),
        "Asset": To("cm_asset", company.former("asset")),
        "Parent Order": To("cm_work_order", company.former("parent order")),
        "Service Type": "Inspection",
        "Order Status": "On Hold",
        "Priority": "Low",
        "Service Start": datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        "Service End": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        "Duration Minutes": Decimal(90),
        "Labor Hours": Decimal("1.5"),
        "Location Name": "Decatur Plant",
        "Service Address": "800 E Garfield Ave\nDecatur\nIL\n62526\nUSA",
        "Total": Decimal("125.19"),
        "Subtotal": Decimal(120),
        "Discount Percent": Decimal("2.5"),
        "Tax": Decimal("8.19"),
        "Safety Checked": True,
        "Access Code": "0815",
        "Description": "Hinge is loose.",
        "owner_id": Person("owner1@example.com"),
        **_TIMES,
    }
    recurring = {
        "name": f"{number} - Replace fan motor",
        "amount": Decimal("418.71"),
        "Source Amount": Decimal("418.71"),
        "Monthly Value": Decimal("845.10"),
        "deal_pipeline_id": "Default Pipeline",
        "deal_stage_id": "Won",
        "sales_account": To("sales_accounts", company.former("client")),
        "contacts": To("contacts", company.former("contact")),
        "expected_close": date(2026, 2, 10),
        "Order Status": "Completed",
        "Contract": To("cm_service_contract", company.former("contract")),
        "Technician": To("contacts", company.former("technician", "technician")),
        "Labor Hours": Decimal("4.25"),
        "owner_id": Person("owner1@example.com"),
        **_TIMES,
    }
    asset = {
        "name": "Fan coil 1-07",
        "Serial Number": "SN-88-0042",
        "Account": To("sales_accounts", company.former("client")),
        "Contact": To("contacts", company.former("contact")),
        "Parent Asset": To("cm_asset", company.former("parent asset")),
        "Part Name": "Filter F7 592×592",
        "Location Name": "Decatur Plant",
        "Location Address": "800 E Garfield Ave\nDecatur\nIL\n62526\nUSA",
        "Install Date": date(2019, 6, 1),
        "Warranty Expiry": date(2027, 6, 1),
        "Asset Status": "In Repair",
        "Price": Decimal("2310.75"),
        "Quantity": Decimal(2),
        "Manufacturer": "Northwind",
        "Model": "FC-300",
        **_TIMES,
    }
    stages = {"Open": "New", "In Progress": "Negotiation", "On Hold": "Demo", "Completed": "Won", "Invoiced": "Won"}
    return [
        Expected("cm_work_order", company.former("plain order"), plain),
        Expected("deals", company.former("order Completed"), recurring),
        *(
            Expected("deals", company.former(f"order {status}"), {"deal_stage_id": stage, "Order Status": status})
            for status, stage in stages.items()
        ),
        Expected("cm_asset", company.former("asset"), asset),
    ]


def contracts(company: Company) -> list[Expected]:
    values = {
        "name": "Full care 2026",
        "Contract Number": company.numbers["contract"],
        "Account": To("sales_accounts", company.former("client")),
        "Contact": To("contacts", company.former("contact")),
        "Contract Type": "Full Maintenance",
        "Start Date": date(2026, 1, 1),
        "End Date": date(2028, 12, 31),
        "Term Months": Decimal(36),
        "Contract Status": "Active",
        "Monthly Value": Decimal("845.10"),
        "Billing Frequency": "Quarterly",
        "Renewal Date": date(2028, 10, 2),
        "Total Value": Decimal("30423.60"),
        "Special Terms": "Response within 4 hours.",
        "owner_id": Person("admin@example.com"),
        **_TIMES,
    }
    return [Expected("cm_service_contract", company.former("contract"), values)]


def technicians(company: Company) -> list[Expected]:
    values = {
        "first_name": "Iris",
        "last_name": "van Berg",
        "email": "iris@field.example.net",
        "Login Email": "owner1@example.com",
        "work_number": "+12175550190",
        "Contact Role": "Technician",
        "Technician Active": True,
        "Technician Territory": "North",
        "Skills": frozenset({"Boilers", "Electrical"}),
        "Description": "Certified for gas.",
        "owner_id": Person("owner1@example.com"),
        **_TIMES,
    }
    alone = {
        "first_name": None,
        "last_name": "Ogden",
        "Contact Role": "Dispatcher",
        "Technician Active": False,
        "owner_id": Person("admin@example.com"),
    }
    return [
        Expected("contacts", company.former("technician", "technician"), values),
        Expected("contacts", company.former("lone technician", "technician"), alone),
    ]


def parts(company: Company) -> list[Expected]:
    used = {
        "name": f"{company.numbers['plain order']} - Filter F7 592×592",
        "Work Order": To("cm_work_order", company.former("plain order")),
        "Deal": None,
        "Part Name": "Filter F7 592×592",
        "Part Number": "FLT-592",
        "SKU": "SKU-592-7",
        "Quantity": Decimal(2),
        "Unit Price": Decimal("41.90"),
        **_TIMES,
    }
    on_deal = {
        "Work Order": None,
        "Deal": To("deals", company.former("order Completed")),
        "Quantity": Decimal("3.5"),
        "Unit Price": Decimal("39.90"),
        "Description": "One spare left on site.",
    }
    product = {
        "name": "Filter F7 592×592",
        "product_code": "FLT-592",
        "sku_number": "SKU-592-7",
        "category": "Filter",
        "is_active": True,
        "unit_price": Decimal("41.90"),
        "Unit Cost": Decimal("18.35"),
        "Stock Quantity": Decimal("127.5"),
        "description": "Bag filter.",
        **_TIMES,
    }
    return [
        Expected("cm_parts_used", company.former("plain part"), used),
        Expected("cm_parts_used", company.former("part used"), on_deal),
        Expected("products", company.former("part"), product),
    ]


def leads(company: Company) -> list[Expected]:
    values = {
        "first_name": "Lea",
        "last_name": "Newcomb",
        "email": "lea@newcomb.example.com",
        "work_number": "+12175550177",
        "Phone At Source": "+1 217 555 0177",
        "lifecycle_stage_id": "Lead",
        "contact_status_id": "Contacted",
        "lead_source_id": "ServiceTracker Website",
        "Lead Source At Source": "Web",
        "Lead Status At Source": "Contacted",
        "Lead Company": "Newcomb Bakery",
        "Lead Score": Decimal("42.5"),
        "Lead Converted": False,
        "Description": "Oven maintenance, please call.",
        "owner_id": Person("owner1@example.com"),
        **_TIMES,
    }
    return [Expected("contacts", company.former("lead", "lead"), values)]
