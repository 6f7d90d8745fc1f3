"""Invoices, payments, quotes and the tenant's lists of a generated account."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from connectors.octopuspro.generator import words as w
from connectors.octopuspro.generator.rows import Account, Row, day, money

_TAX = Decimal("0.10")


def invoice(account: Account, number: int) -> Row:
    """Every booking's number below `account.invoices` has one. One in 25 is void, others are paid in part or not."""
    lines = account.booking_lines(number)
    subtotal = sum((Decimal(line["Line Total"]) for line in lines), Decimal(0))
    tax = (subtotal * _TAX).quantize(Decimal("0.01"))
    total = subtotal + tax
    paid = paid_of(number, total)
    issued = account.moment(account.chance("booking", number)) + timedelta(days=1)
    return {
        "Invoice ID": f"I{70000 + number}",
        "Invoice Number": f"INV-{3000 + number}",
        "Booking": f"BK-{number:05d}",
        "Customer": account.customer_of(number),
        "Issue Date": day(issued),
        "Due Date": day(issued + timedelta(days=14)),
        "Status": _status(number, paid >= total),
        "Subtotal": money(subtotal),
        "GST": money(tax),
        "Total": money(total),
        "Amount Paid": money(paid),
        "Amount Due": money(total - paid),
        "Notes": "Thank you" if number % 3 == 0 else "",
    }


def _status(number: int, paid: bool) -> str:
    if number % 25 == 0:
        return "Void"
    return "Draft" if number % 30 == 1 else "Closed" if paid else "Open"


def paid_of(number: int, total: Decimal) -> Decimal:
    if number % 25 == 0 or number % 30 == 1 or number % 4 == 1:
        return Decimal(0)
    return Decimal("50.00") if number % 4 == 2 and total > 50 else total


def payments(account: Account) -> Iterator[Row]:
    """One per invoice that was paid, some refunds, one to a void invoice now and then, one to a missing one."""
    made = 0
    for number in range(1, account.invoices + 1):
        row = invoice(account, number)
        total = Decimal(row["Total"].strip("$").replace(",", ""))
        amount = Decimal("20.00") if number % 25 == 0 else paid_of(number, total)
        if amount:
            made += 1
            yield _payment(account, made, row, amount, refund=False)
        if number % 20 == 3:
            made += 1
            yield _payment(account, made, row, Decimal("-15.50"), refund=True)
    made += 1
    ghost = {"Invoice Number": "INV-999999", "Customer": "1001", "Issue Date": "13/05/2024"}
    yield _payment(account, made, ghost, Decimal("77.00"), refund=False)


def _payment(account: Account, number: int, invoice_row: Row, amount: Decimal, *, refund: bool) -> Row:
    r = account.chance("payment", number)
    return {
        "Payment ID": f"P{90000 + number}",
        "Invoice": invoice_row["Invoice Number"],
        "Customer": invoice_row["Customer"],
        "Payment Date": invoice_row["Issue Date"],
        "Amount": f"-${-amount:,.2f}" if amount < 0 else money(amount),
        "Method": r.choice(w.METHODS),
        "Status": "Refunded" if refund else "Completed",
        "Reference": f"TX{r.randint(0, 10**9):010d}",
        "Refund": "Yes" if refund else "No",
        "Notes": "",
    }


def quote(account: Account, number: int) -> Row:
    r = account.chance("quote", number)
    issued = account.moment(r)
    status = ("Accepted", "Rejected", "Expired", "Sent", "Draft")[number % 5]
    lines = account.booking_lines(number + 7)
    return {
        "Quote ID": f"Q{number}",
        "Quote Number": f"QU-{number:04d}",
        "Customer": account.customer_of(number),
        "Title": f"Quote for {lines[0]['Description']}" if number % 4 else "",
        "Issue Date": day(issued),
        "Valid Until": day(issued + timedelta(days=30)),
        "Status": status,
        "Reason": r.choice(w.REASONS) if status == "Rejected" else "",
        "Total": money(sum((Decimal(line["Line Total"]) for line in lines), Decimal(0))),
        "Notes": "",
    }


def services() -> Iterator[Row]:
    for number, (name, kind, price, minutes) in enumerate(w.SERVICES, start=1):
        yield {
            "Service ID": f"S{number}",
            "Service Name": name,
            "Description": f"{name}, done by our team.",
            "Price Type": kind,
            "Price": price,
            "Price Rule": "Number of rooms: 1-2 = 38.50, 3+ = 34.00 each" if kind == "Per attribute" else "",
            "Duration": str(minutes),
            "Service Area": "Within 25 km of depot",
            "Active": "No" if number == 8 else "Yes",
        }


def custom_fields() -> Iterator[Row]:
    listed = (
        ("Customer", "Pet Health History", "Text Area", ""), ("Customer", "Gate Code", "Text", ""),
        ("Customer", "Pet Types", "Multi Select", "|".join(w.PETS)), ("Customer", "Loyalty Member", "Checkbox", ""),
        ("Customer", "Preferred Day", "Dropdown", "|".join(w.DAYS)), ("Customer", "Next Review", "Date", ""),
        ("Customer", "Visits Allowed", "Number", ""), ("Customer", "Consent Signature", "Signature", ""),
        ("Booking", "Job Photos", "Images", ""), ("Booking", "Intake Tags", "Multi Select", "|".join(w.TAGS)),
        ("Booking", "Vehicle Rego", "Text", ""), ("Booking", "Odometer", "Number", ""),
        ("Booking", "Completion Signature", "Signature", ""),
    )  # fmt: skip
    for target, name, kind, options in listed:
        yield {"Applies To": target, "Field Name": name, "Field Type": kind, "Options": options, "Required": "No"}


def automation_rules() -> Iterator[Row]:
    listed = (
        ("Booking confirmation", "Booking created", "Send email to customer"),
        ("Reminder", "24 h before visit", "Send SMS reminder"),
        ("Overdue invoice", "Invoice overdue by 7 days", "Send email and create task"),
        ("Status feedback", "Booking status is Completed", "Request review by email"),
    )
    for number, (name, trigger, action) in enumerate(listed, start=1):
        yield {
            "Rule ID": f"R{number}", "Rule Name": name, "Trigger": trigger, "Condition": "", "Action": action,
            "Active": "No" if number == 4 else "Yes",
        }  # fmt: skip
