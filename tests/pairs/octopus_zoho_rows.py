"""What each row of OctopusPro → Zoho CRM promises for the hand-made account, with labels of Zoho fields."""

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
    "Mailing Street": "3/12-14 Löwen Street",
    "Mailing City": "Newtown",
    "Mailing State": "NSW",
    "Mailing Zip": "2042",
    "Mailing Country": "Australia",
}


def customers(company: OctopusCompany) -> list[Expected]:
    account = {
        "Account Name": "Harbour Vet Clinic",
        "Customer Type": "Business",
        "Phone": "+61295551234",
        "Billing Street": "3/12-14 Löwen Street",
        "Billing City": "Newtown",
        "Billing State": "NSW",
        "Billing Code": "2042",
        "Billing Country": "Australia",
        "Customer Since": date(2019, 12, 31),
        "Description": 'Gate "B",\nring twice',
        **_TIMES,
    }
    first = {
        "Salutation": "Dr.",
        "First Name": "Zoë",
        "Last Name": "O’Brien",
        "Account Name": To("Accounts", company.former("customer", "account")),
        "Email": "zoe@example.com",
        "Phone": "+61295551234",
        "Mobile": "+61412345678",
        "Portal User": True,
        "Other Channels": None,
        **_ADDRESS,
        **_TIMES,
    }
    second = {
        "First Name": "Thuy",
        "Last Name": "Nguyen",
        "Account Name": To("Accounts", company.former("customer", "account")),
        "Email": "thuy@example.com",
        "Mobile": "+61498765432",
        "Pet Types": None,
        **_ADDRESS,
    }
    third = {"First Name": None, "Last Name": "Sam", "Email": "sam@example.net", "Phone": "+61395557777", **_ADDRESS}
    alone = {
        "Last Name": "Singh",
        "Email": "priya@example.com",
        "Secondary Email": "priya.work@example.com",
        "Other Channels": "priya.old@example.com\n(03) 9555 8888",
    }
    nameless = {"Last Name": "Redgum Property", "First Name": None, "Mobile": "call the office"}
    return [
        Expected("Accounts", company.former("customer", "account"), account),
        Expected("Contacts", company.former("customer"), first),
        Expected("Contacts", company.former("customer", "contact:2"), second),
        Expected("Contacts", company.former("customer", "contact:3"), third),
        Expected("Accounts", company.former("single", "account"), {"Account Name": "Priya Singh"}),
        Expected("Contacts", company.former("single"), alone),
        Expected("Contacts", company.former("no first"), nameless),
    ]


def bookings(company: OctopusCompany) -> list[Expected]:
    on_deal = {
        "Related To": To("Deals", company.former("booking")),
        "Contact Name": To("Contacts", company.former("customer")),
    }
    deal = {
        "Deal Name": "BK-1 - Front windows",
        "Deal Kind": "Booking",
        "Stage": "Job Completed",
        "Source Status": "Completed",
        "Booking Number": "BK-1",
        "Account Name": To("Accounts", company.former("customer", "account")),
        "Contact Name": To("Contacts", company.former("customer")),
        "Amount": Decimal(671),
        "Subtotal": Decimal(610),
        "Tax Amount": Decimal(61),
        "Closing Date": date(2024, 10, 31),
        "Booking Start": datetime(2024, 10, 30, 21, 30, tzinfo=UTC),
        "Booking End": datetime(2024, 10, 30, 23, 0, tzinfo=UTC),
        "Service Address": "Level 2, 5 King St, Newtown",
        "Billing Model": "Commission",
        "Labels": frozenset({"VIP", "Repeat"}),
        "Description": "Ring on arrival",
    }
    line = {
        "Deal": To("Deals", company.former("booking")),
        "Product": To("Products", company.former("hourly")),
        "Quantity": Decimal(2),
        "Unit Price": Decimal(65),
        "Line Total": Decimal(130),
        "Line Description": "Front windows",
        "Line Address": "Level 2",
    }
    second = {
        "Product": To("Products", company.former("fixed")),
        "Quantity": Decimal("1.5"),
        "Unit Price": Decimal(320),
        "Line Total": Decimal(480),
    }
    visit = {
        "Title": "BK-1 - Front windows",
        "From": datetime(2024, 10, 30, 21, 30, tzinfo=UTC),
        "To": datetime(2024, 10, 30, 23, 0, tzinfo=UTC),
        "Location": "Level 2, 5 King St, Newtown",
        "Description": "Ring twice",
        **on_deal,
    }
    change = {
        "Subject": "Status changed to Completed",
        "Type": "Status change",
        "Status": "Completed",
        "Due Date": date(2024, 10, 31),
        "Happened At": datetime(2024, 10, 30, 13, 5, tzinfo=UTC),
        **on_deal,
    }
    return [
        Expected("Deals", company.former("booking"), deal),
        Expected("Deals", company.former("cancelled"), {"Stage": "Lost", "Customer As Written": "Nobody we know"}),
        Expected("Deal Lines", company.former("line"), line),
        Expected("Deal Lines", company.former("second line"), second),
        Expected("Meetings", company.former("visit"), visit),
        Expected("Tasks", company.former("change"), change),
    ]


def field_workers(company: OctopusCompany) -> list[Expected]:
    """Whoever has a login owns; whoever has none is named."""
    return [
        Expected(
            "Deals",
            company.former("booking"),
            {"Owner": Person("owner1@example.com"), "Field Workers": "Iris Berg, Bo Ray"},
        ),
        Expected("Deals", company.former("named booking"), {"Field Workers": "Bo Ray"}),
        Expected("Meetings", company.former("visit"), {"Owner": Person("owner1@example.com"), "Done By": "Iris Berg"}),
        Expected("Tasks", company.former("change"), {"Done By": "Bo Ray"}),
    ]


def invoices(company: OctopusCompany) -> list[Expected]:
    paid = {
        "Deal Name": "INV-1 - Front windows",
        "Deal Kind": "Invoice",
        "Stage": "Paid",
        "Payment Status": "Paid",
        "Source Status": "Closed",
        "Invoice Number": "INV-1",
        "Account Name": To("Accounts", company.former("customer", "account")),
        "Contact Name": To("Contacts", company.former("customer")),
        "Booking Deal": To("Deals", company.former("booking")),
        "Amount": Decimal(671),
        "Tax Amount": Decimal(61),
        "Amount Paid": Decimal(671),
        "Outstanding Amount": Decimal(0),
        "Issue Date": date(2024, 10, 31),
        "Due Date": date(2024, 11, 14),
        "Closing Date": date(2024, 11, 14),
        "Owner": Person("owner1@example.com"),
    }
    partial = {"Stage": "Part Paid", "Amount": Decimal(110), "Outstanding Amount": Decimal(60)}
    unpaid = {"Stage": "Invoice Open", "Amount": Decimal(110), "Outstanding Amount": Decimal(110)}
    line = {
        "Deal": To("Deals", company.former("paid")),
        "Product": To("Products", company.former("fixed")),
        "Quantity": Decimal(2),
        "Unit Price": Decimal(305),
    }
    return [
        Expected("Deals", company.former("paid"), paid),
        Expected("Deals", company.former("partial"), partial),
        Expected("Deals", company.former("unpaid"), unpaid),
        Expected("Deal Lines", company.former("invoice line"), line),
    ]


def payments(company: OctopusCompany) -> list[Expected]:
    whole = {
        "Subject": "Payment: 671 by EFT",
        "Type": "Payment",
        "Status": "Completed",
        "Due Date": date(2024, 11, 25),
        "Payment Amount": Decimal(671),
        "Payment Method": "EFT",
        "Payment State": "Completed",
        "Payment Reference": "TX-77",
        "Description": "Thanks",
        "Related To": To("Deals", company.former("paid")),
        "Contact Name": To("Contacts", company.former("customer")),
    }
    refund = {"Type": "Refund", "Payment Amount": Decimal("-15.5"), "Related To": To("Deals", company.former("paid"))}
    return [
        Expected("Tasks", company.former("payment"), whole),
        Expected("Tasks", company.former("part payment"), {"Type": "Partial payment", "Payment Amount": Decimal(50)}),
        Expected("Tasks", company.former("refund"), refund),
    ]


def quotes(company: OctopusCompany) -> list[Expected]:
    accepted = {
        "Deal Name": "QU-1 - Carpets",
        "Deal Kind": "Quote",
        "Stage": "Quote Accepted",
        "Amount": Decimal(231),
        "Quote Number": "QU-1",
        "Issue Date": date(2024, 10, 31),
        "Valid Until": date(2024, 11, 30),
        "Loss Reason": None,
    }
    return [
        Expected("Deals", company.former("accepted"), accepted),
        Expected("Deals", company.former("rejected"), {"Stage": "Lost", "Loss Reason": "Too expensive"}),
        Expected("Deals", company.former("expired"), {"Stage": "Lost", "Loss Reason": "Expired on 2024-11-30"}),
        Expected("Deals", company.former("sent"), {"Stage": "Quote Sent", "Source Status": "Sent"}),
        Expected("Deal Lines", company.former("quote line"), {"Deal": To("Deals", company.former("rejected"))}),
    ]


def services(company: OctopusCompany) -> list[Expected]:
    fixed = {
        "Product Name": "End of lease clean",
        "Unit Price": Decimal(320),
        "Price Type": "Fixed",
        "Variable Price": None,
        "Duration Minutes": Decimal(240),
        "Product Active": True,
        "Description": "Whole flat.",
    }
    hourly = {"Unit Price": None, "Variable Price": "Hourly: 65\nMinimum two hours", "Product Active": False}
    return [
        Expected("Products", company.former("fixed"), fixed),
        Expected("Products", company.former("hourly"), hourly),
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
        Expected("Contacts", company.former("customer"), values),
        Expected(
            "Contacts", company.former("single"), {"Pet Types": frozenset({"Dog", "Cat"}), "Loyalty Member": False}
        ),
    ]


def booking_fields(company: OctopusCompany) -> list[Expected]:
    values = {
        "Job Photos": PHOTOS,
        "Intake Tags": frozenset({"Urgent", "After hours"}),
        "Odometer": Decimal(120500),
    }
    return [Expected("Deals", company.former("booking"), values)]
