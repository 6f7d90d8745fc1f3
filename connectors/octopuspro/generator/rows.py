"""Rows of a generated account, each from its number and the seed alone, so that any scale streams in flat memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from connectors.octopuspro.generator import words as w

Row = dict[str, Any]
_START = datetime(2023, 2, 1, 7, 0)  # noqa: DTZ001 - the vendor's stamps carry no offset
_DAYS = 900


class Account:
    """How many rows of what, and the rows. `scale` is the number of records in all, about."""

    def __init__(self, scale: int, seed: int) -> None:
        self._seed = seed
        self.workers = max(6, min(400, scale // 60))
        self.customers = max(8, scale * 11 // 100)
        self.bookings = max(10, scale * 12 // 100)
        self.invoices = self.bookings * 7 // 10
        self.quotes = max(5, scale * 5 // 100)

    def chance(self, table: str, number: int) -> Random:
        return Random(f"{self._seed}:{table}:{number}")  # noqa: S311 - test data, not secrets

    def field_workers(self) -> Iterator[Row]:
        for number in range(1, self.workers + 1):
            r = self.chance("worker", number)
            name = self.worker_name(number)
            yield {
                "Field Worker ID": f"FW-{number}",
                "Name": name,
                "Email": "" if number % 5 == 0 else f"worker{number}@example.com" if number > 4 else _staff(number),
                "Mobile": _mobile(r),
                "Role": ("Field Worker", "Team Leader", "Contractor")[number % 3],
                "Pay Rate": f"{r.randint(28, 60)}.50",
                "Commission": f"{r.choice((0, 10, 12.5, 60))}%",
                "Status": "Archived" if number % 7 == 0 else "Active",
                "GPS Tracking": r.choice(("On", "Off")),
            }

    def worker_name(self, number: int) -> str:
        return f"{w.FIRST[number % len(w.FIRST)]} {w.LAST[(number * 7) % len(w.LAST)]} {_roman(number)}".strip()

    def all_customers(self) -> Iterator[Row]:
        return (self.customer(number) for number in range(1, self.customers + 1))

    def customer(self, number: int) -> Row:
        r = self.chance("customer", number)
        first, last = r.choice(w.FIRST), r.choice(w.LAST)
        suburb, state, postcode = r.choice(w.SUBURBS)
        business = number % 4 == 0
        persons = 3 if number % 10 == 3 else 2 if number % 5 == 1 else 1
        email = _email(first, number) if number % 17 else "" if number % 2 else "info@shared.example.org"
        row: Row = {
            "Customer ID": f"{1000 + number}",
            "Title": r.choice(("Mr", "Mrs", "Ms", "Dr", "")),
            "First Name*": first if number % 23 else "",
            "Last Name*": last if number % 23 else "",
            "Email": f" {email.upper()} " if number % 11 == 0 else email,
            "Mobile": _mobile(r) if number % 29 else "call the office",
            "Phone": _landline(r) if r.random() < 0.4 else "",
            "Unit/Lot Number": str(r.randint(1, 40)) if r.random() < 0.3 else "",
            "Street Number": str(r.randint(1, 240)),
            "Street Name": f"{r.choice(w.STREETS)} {r.choice(w.KINDS)}",
            "Suburb": suburb,
            "State": state,
            "Postcode": postcode,
            "Country": r.choice(("Australia", "AU", "")),
            "Date Joined": day(self.moment(r)),
            "Customer Type": "Business" if business else "Personal",
            "Business Name": self.business(number),
            "Customer Portal": r.choice(("Yes", "No")),
            "Password": "never-carry-me" if number == 1 else "",
            "Notes": 'Gate sticks, "push hard".\nDog in yard.' if number % 6 == 0 else "",
            "Created": stamp(self.moment(r)),
            "Modified": stamp(_START + timedelta(days=_DAYS + number % 20)),
        }
        for person in (2, 3):
            row |= self._person(r, number, person, named=person <= persons)
        return row | self._customer_fields(r, number)

    def business(self, number: int) -> str:
        named = number % 4 == 0 or number % 23 == 0
        return f"{w.BUSINESSES[number % len(w.BUSINESSES)]} {number}" if named else ""

    def _person(self, r: Random, number: int, person: int, *, named: bool) -> Row:
        first = r.choice(w.FIRST)
        spare = not named and number % 9 == 0 and person == 2
        return {
            f"First Name{person}": first if named else "",
            f"Last Name{person}": r.choice(w.LAST) if named else "",
            f"Email{person}": _email(first, number * 10 + person) if (named and r.random() < 0.8) or spare else "",
            f"Mobile{person}": _mobile(r) if named else "",
            f"Phone{person}": _landline(r) if spare else "",
        }

    def _customer_fields(self, r: Random, number: int) -> Row:
        return {
            "Pet Health History": f"Vaccinated {day(self.moment(r))}; no allergies." if r.random() < 0.4 else "",
            "Gate Code": f"{r.randint(0, 9999):04d}#" if r.random() < 0.3 else "",
            "Pet Types": ", ".join(r.sample(w.PETS, r.randint(1, 3))) if r.random() < 0.6 else "",
            "Loyalty Member": r.choice(("Yes", "No")),
            "Preferred Day": r.choice(w.DAYS) if r.random() < 0.7 else "",
            "Next Review": day(self.moment(r)) if r.random() < 0.5 else "",
            "Visits Allowed": str(r.randint(1, 12)) if r.random() < 0.5 else "",
            "Consent Signature": "data:image/png;base64,iVBORw0KGgo=" if number % 8 == 0 else "",
        }

    def all_bookings(self) -> Iterator[Row]:
        return (self.booking(number) for number in range(1, self.bookings + 1))

    def booking(self, number: int) -> Row:
        r = self.chance("booking", number)
        start = self.moment(r)
        lines = self.booking_lines(number)
        subtotal = sum((Decimal(line["Line Total"]) for line in lines), Decimal(0))
        status = w.OWN_STATUS if number % 40 == 7 else w.STATUSES[number % len(w.STATUSES)]
        team = [1 + (number * 3) % self.workers, 1 + (number * 5 + 2) % self.workers]
        names = [self.worker_name(one) if number % 3 else f"FW-{one}" for one in team[: 1 + number % 2]]
        return {
            "Booking ID": f"B{50000 + number}",
            "Booking Number": f"BK-{number:05d}",
            "Customer": self.customer_of(number),
            "Field Workers": "; ".join(names),
            "Title": f"{lines[0]['Description']} for customer {self.customer_number(number)}" if number % 8 else "",
            "Status": status,
            "Start": stamp(start),
            "End": stamp(start + timedelta(minutes=90)),
            "Service Address": f"{r.randint(1, 99)} {r.choice(w.STREETS)} Street, {r.choice(w.SUBURBS)[0]}",
            "Billing Model": "Commission" if number % 3 == 0 else "Booking Fee",
            "Subtotal": money(subtotal),
            "GST": money(subtotal / 10),
            "Total": money(subtotal + (subtotal / 10).quantize(Decimal("0.01"))),
            "Labels": "; ".join(r.sample(("VIP", "Repeat", "Insurance"), r.randint(0, 2))),
            "Notes": "Ring on arrival" if r.random() < 0.3 else "",
            "Created": stamp(start - timedelta(days=4)),
            "Modified": stamp(start + timedelta(hours=2)),
            "Job Photos": _photos(number) if number % 4 == 0 else "",
            "Intake Tags": "; ".join(r.sample(w.TAGS, r.randint(0, 3))),
            "Vehicle Rego": f"{r.choice('ABC')}BC{r.randint(10, 99)}Z" if r.random() < 0.3 else "",
            "Odometer": str(r.randint(1_000, 240_000)) if r.random() < 0.3 else "",
            "Completion Signature": "data:image/png;base64,iVBORw0KGgo=" if number % 5 == 0 else "",
        }

    def customer_number(self, booking: int) -> int:
        return 1 + (booking * 13) % self.customers

    def customer_of(self, booking: int) -> str:
        """By id; now and then by the name of a business, which only one customer bears, or of nobody."""
        if booking % 50 == 49:
            return "Somebody who was deleted"
        number = self.customer_number(booking)
        return self.business(number) if number % 4 == 0 and booking % 2 else f"{1000 + number}"

    def booking_lines(self, number: int) -> list[Row]:
        r = self.chance("lines", number)
        lines = []
        for position in range(1, 2 + number % 2):
            name, _, price, _ = w.SERVICES[(number + position) % len(w.SERVICES)]
            quantity = r.randint(1, 3)
            lines.append(
                {
                    "Line": str(position),
                    "Service": name if number % 5 else f"S{1 + (number + position) % len(w.SERVICES)}",
                    "Description": name,
                    "Quantity": str(quantity),
                    "Unit Price": price,
                    "Line Total": f"{Decimal(price) * quantity:.2f}",
                }
            )
        return lines

    def visits(self, number: int) -> list[Row]:
        start = self.moment(self.chance("booking", number))
        made = []
        for position in range(1, 3 if number % 6 == 0 else 2):
            begin = start + timedelta(days=position - 1)
            worker = 1 + (number * 3 + position - 1) % self.workers
            made.append(
                {
                    "Visit": str(position),
                    "Start": stamp(begin),
                    "End": stamp(begin + timedelta(minutes=90)),
                    "Field Worker": self.worker_name(worker) if number % 2 else f"FW-{worker}",
                    "Notes": "Second visit" if position == 2 else "",
                }
            )
        return made

    def changes(self, number: int) -> list[Row]:
        start = self.moment(self.chance("booking", number)) - timedelta(days=3)
        steps = ("To Do", "In Progress", "Completed")[: 1 + number % 3]
        return [
            {
                "Change": str(position),
                "Status": status,
                "Changed": stamp(start + timedelta(days=position, minutes=7 * position)),
                "Changed By": f"FW-{1 + (number + position) % self.workers}",
            }
            for position, status in enumerate(steps, start=1)
        ]

    def moment(self, r: Random) -> datetime:
        return _START + timedelta(days=r.randint(0, _DAYS), minutes=30 * r.randint(0, 18))


def _email(first: str, number: int) -> str:
    plain = "".join(letter for letter in first.lower() if letter.isascii() and letter.isalpha())
    return f"{plain or 'person'}{number}@{('example.com', 'example.net')[number % 2]}"


def _staff(number: int) -> str:
    """The first workers have logins at the destination's stand-in."""
    return f"owner{number}@example.com"


def _mobile(r: Random) -> str:
    digits = f"4{r.randint(0, 99_999_999):08d}"
    spaced = f"0{digits[:3]} {digits[3:6]} {digits[6:]}"
    return r.choice(
        (spaced, f"0{digits}", f"+61 {digits[:3]} {digits[3:6]} {digits[6:]}", spaced.replace(" ", "\u00a0"))
    )


def _landline(r: Random) -> str:
    return f"(0{r.choice((2, 3, 7, 8))}) {r.randint(5500, 9999)} {r.randint(0, 9999):04d}"


def day(moment: datetime) -> str:
    return moment.strftime("%d/%m/%Y")


def stamp(moment: datetime) -> str:
    return moment.strftime("%d/%m/%Y %I:%M %p")


def money(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def _photos(number: int) -> str:
    return "\n".join(f"https://photos.example.com/{number}/{name}.jpg" for name in ("before", "after"))


def _roman(number: int) -> str:
    return "" if number <= 20 else f"{chr(65 + number % 26)}{number}"
