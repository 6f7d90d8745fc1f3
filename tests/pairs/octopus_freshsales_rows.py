"""What each row of OctopusPro → Freshsales promises for the hand-made account: standard fields by API name, custom ones
by label."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.comparing import Expected, Person, To
from tests.pairs.octopus_company import PHOTOS, OctopusCompany

_TIMES: Mapping[str, Any] = {
    "Source Created Time": datetime(2024, 10, 12, 22, 5, tzinfo=UTC),
    "Source Modified Time": datetime(2024, 10, 31, 7, 0, tzinfo=UTC),
}
_ADDRESS: Mapping[str, Any] = {
    "address": "3/12-14 Löwen Street",
    "city": "Newtown",
    "state": "NSW",
    "zipcode": "2042",
    "country": "Australia",
}


def customers(company: OctopusCompany) -> list[Expected]:
    account = {
        "name": "Harbour Vet Clinic",
        "Customer Type": "Business",
        "phone": "+61295551234",
        "Customer Since": date(2019, 12, 31),
        "Notes": 'Gate "B",\nring twice',
        **_ADDRESS,
        **_TIMES,
    }
    first = {
        "Title": "Dr",
        "first_name": "Zoë",
        "last_name": "O’Brien",
        "sales_account": To("sales_accounts", company.former("customer", "account")),
        "email": "zoe@example.com",
        "work_number": "+61295551234",
        "mobile_number": "+61412345678",
        "Mobile At Source": "0412 345 678",
        "lifecycle_stage_id": "Customer",
        "contact_status_id": "Won",
        "Portal User": True,
        **_ADDRESS,
        **_TIMES,
    }
    second = {
        "first_name": "Thuy",
        "last_name": "Nguyen",
        "sales_account": To("sales_accounts", company.former("customer", "account")),
        "email": "thuy@example.com",
        "mobile_number": "+61498765432",
        "Pet Types": None,
        **_ADDRESS,
    }
    third = {"last_name": "Sam", "email": "sam@example.net", "work_number": "+61395557777"}
    alone = {
        "last_name": "Singh",
        "email": "priya@example.com",
        "Spare Email": "priya.work@example.com",
        "Other Channels": "priya.old@example.com\n(03) 9555 8888",
    }
    return [
        Expected("sales_accounts", company.former("customer", "account"), account),
        Expected("contacts", company.former("customer"), first),
        Expected("contacts", company.former("customer", "contact:2"), second),
        Expected("contacts", company.former("customer", "contact:3"), third),
        Expected("sales_accounts", company.former("single", "account"), {"name": "Priya Singh"}),
        Expected("contacts", company.former("single"), alone),
        Expected("contacts", company.former("no first"), {"last_name": "Redgum Property"}),
    ]


def bookings(company: OctopusCompany) -> list[Expected]:
    deal = {
        "name": "BK-1 - Front windows",
        "Deal Kind": "Booking",
        "deal_stage_id": "Job Completed",
        "Source Status": "Completed",
        "Booking Number": "BK-1",
        "sales_account": To("sales_accounts", company.former("customer", "account")),
        "contacts": To("contacts", company.former("customer")),
        "Source Amount": Decimal(671),
        "Subtotal": Decimal(610),
        "Tax": Decimal(61),
        "expected_close": date(2024, 10, 31),
        "Booking Start": datetime(2024, 10, 30, 21, 30, tzinfo=UTC),
        "Booking End": datetime(2024, 10, 30, 23, 0, tzinfo=UTC),
        "Service Address": "Level 2, 5 King St, Newtown",
        "Billing Model": "Commission",
        "tags": frozenset({"VIP", "Repeat"}),
        "Lines": "Front windows: 2 x 65 = 130\nEnd of lease: 1.5 x 320 = 480",
        "Notes": "Ring on arrival",
    }
    other = {"deal_stage_id": "Work In Progress", "amount": Decimal(110), "Source Amount": Decimal(110)}
    cancelled = {"deal_stage_id": "Lost", "Customer As Written": "Nobody we know"}
    return [
        Expected("deals", company.former("booking"), deal),
        Expected("deals", company.former("named booking"), other),
        Expected("deals", company.former("cancelled"), cancelled),
    ]


def field_workers(company: OctopusCompany) -> list[Expected]:
    """Whoever has a login owns; whoever has none is named."""
    owned = {"owner_id": Person("owner1@example.com"), "Field Workers": "Iris Berg, Bo Ray"}
    return [
        Expected("deals", company.former("booking"), owned),
        Expected("deals", company.former("named booking"), {"Field Workers": "Bo Ray"}),
    ]


def invoices(company: OctopusCompany) -> list[Expected]:
    paid = {
        "name": "INV-1 - Front windows",
        "Deal Kind": "Invoice",
        "deal_stage_id": "Paid",
        "Invoice Payment Status": "Paid",
        "Source Status": "Closed",
        "Invoice Number": "INV-1",
        "sales_account": To("sales_accounts", company.former("customer", "account")),
        "contacts": To("contacts", company.former("customer")),
        "Booking Deal": To("deals", company.former("booking")),
        "Source Amount": Decimal(671),
        "Tax": Decimal(61),
        "Amount Paid": Decimal(671),
        "Outstanding Amount": Decimal(0),
        "Issue Date": date(2024, 10, 31),
        "Due Date": date(2024, 11, 14),
        "expected_close": date(2024, 11, 14),
        "owner_id": Person("owner1@example.com"),
    }
    partial = {"deal_stage_id": "Part Paid", "amount": Decimal(110), "Outstanding Amount": Decimal(60)}
    unpaid = {"deal_stage_id": "Invoice Open", "amount": Decimal(110), "Outstanding Amount": Decimal(110)}
    return [
        Expected("deals", company.former("paid"), paid),
        Expected("deals", company.former("partial"), partial),
        Expected("deals", company.former("unpaid"), unpaid),
    ]


def quotes(company: OctopusCompany) -> list[Expected]:
    accepted = {
        "name": "QU-1 - Carpets",
        "Deal Kind": "Quote",
        "deal_stage_id": "Quote Accepted",
        "amount": Decimal(231),
        "Quote Number": "QU-1",
        "Issue Date": date(2024, 10, 31),
        "Valid Until": date(2024, 11, 30),
        "Loss Reason": None,
    }
    rejected = {
        "deal_stage_id": "Lost",
        "deal_reason_id": "Price",
        "Loss Reason": "Too expensive",
        "Lines": "Gutters and downpipes: 1 x 198 = 198",
    }
    return [
        Expected("deals", company.former("accepted"), accepted),
        Expected("deals", company.former("rejected"), rejected),
        Expected("deals", company.former("expired"), {"deal_stage_id": "Lost", "Loss Reason": "Expired on 2024-11-30"}),
        Expected("deals", company.former("sent"), {"deal_stage_id": "Quote Sent", "Source Status": "Sent"}),
    ]


def services(company: OctopusCompany) -> list[Expected]:
    fixed = {
        "name": "End of lease clean",
        "unit_price": Decimal(320),
        "Price Type": "Fixed",
        "Variable Price": None,
        "Duration Minutes": Decimal(240),
        "is_active": True,
        "description": "Whole flat.",
    }
    return [
        Expected("products", company.former("fixed"), fixed),
        Expected(
            "products",
            company.former("hourly"),
            {"Variable Price": "Hourly: 65\nMinimum two hours", "is_active": False},
        ),
    ]


def customer_fields(company: OctopusCompany) -> list[Expected]:
    values = {
        "Pet Types": frozenset({"Dog", "Bird, tame"}),
        "Loyalty Member": True,
        "Visits Allowed": Decimal(12),
        "Next Review": date(2025, 3, 25),
        "Pet Health History": "No allergies.",
    }
    return [
        Expected("contacts", company.former("customer"), values),
        Expected("contacts", company.former("single"), {"Loyalty Member": False}),
    ]


def booking_fields(company: OctopusCompany) -> list[Expected]:
    values = {"Job Photos": PHOTOS, "Odometer": Decimal(120500), "Intake Tags": frozenset({"Urgent", "After hours"})}
    return [Expected("deals", company.former("booking"), values)]
