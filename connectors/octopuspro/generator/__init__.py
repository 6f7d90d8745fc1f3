"""Writes an export as OctopusPro's support would hand it over, with dirt on purpose: CSV files or one JSON document."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from connectors.octopuspro.generator import money
from connectors.octopuspro.generator.rows import Account, Row

__all__ = ["write_export"]

Rows = Iterator[Row]


def write_export(folder: Path, scale: int, seed: int, form: str = "csv") -> dict[str, int]:
    """Writes the export into `folder` and returns rows by table; equal arguments give equal bytes.

    `scale` is the number of records, about. `form`: csv (a file per table) or json (one document, lines, visits and
    status changes nested). Raises ValueError for another form.
    """
    folder.mkdir(parents=True, exist_ok=True)
    account = Account(scale, seed)
    if form == "csv":
        return {name: _csv(folder / f"{name}.csv", rows) for name, rows in _tables(account).items()}
    if form == "json":
        return _json(folder / "octopuspro-export.json", account)
    raise ValueError(f"form is csv or json, not {form}")


def _tables(account: Account) -> dict[str, Rows]:
    bookings, invoices = range(1, account.bookings + 1), range(1, account.invoices + 1)
    return {
        "field_workers": account.field_workers(),
        "customers": account.all_customers(),
        "services": money.services(),
        "bookings": account.all_bookings(),
        "booking_services": _children(bookings, _booking_key, account.booking_lines),
        "booking_visits": _children(bookings, _booking_key, account.visits),
        "booking_status_history": _children(bookings, _booking_key, account.changes),
        "invoices": (money.invoice(account, number) for number in invoices),
        "invoice_items": _children(invoices, _invoice_key, account.booking_lines),
        "payments": money.payments(account),
        "quotes": (money.quote(account, number) for number in range(1, account.quotes + 1)),
        "quote_items": _children(range(1, account.quotes + 1), _quote_key, lambda n: account.booking_lines(n + 7)),
        "custom_fields": money.custom_fields(),
        "automation_rules": money.automation_rules(),
    }


def _booking_key(number: int) -> Row:
    return {"Booking": f"BK-{number:05d}"}


def _invoice_key(number: int) -> Row:
    return {"Invoice": f"INV-{3000 + number}"}


def _quote_key(number: int) -> Row:
    return {"Quote": f"QU-{number:04d}"}


def _children(numbers: range, key: Callable[[int], Row], rows: Callable[[int], list[Row]]) -> Rows:
    return (key(number) | row for number in numbers for row in rows(number))


def _csv(path: Path, rows: Rows) -> int:
    """As a spreadsheet of that country writes it: CRLF, a byte order mark, quotes where needed."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, list(row), lineterminator="\r\n")
                writer.writeheader()
            writer.writerow(row)
            count += 1
    return count


def _json(path: Path, account: Account) -> dict[str, int]:
    """One document, written record by record."""
    counts: dict[str, int] = {}
    with path.open("w", encoding="utf-8") as file:
        file.write("{")
        for place, (name, rows) in enumerate(_documents(account).items()):
            file.write(f"{',' if place else ''}\n{json.dumps(name)}: [")
            counts[name] = 0
            for row in rows:
                file.write(("," if counts[name] else "") + "\n" + json.dumps(row, ensure_ascii=False))
                counts[name] += 1
                for key, value in row.items():
                    if isinstance(value, list) and value and isinstance(value[0], dict):
                        counts[f"{name}.{key}"] = counts.get(f"{name}.{key}", 0) + len(value)
            file.write("\n]")
        file.write("\n}\n")
    return counts


def _documents(account: Account) -> dict[str, Rows]:
    tables = _tables(account)
    nested = {"booking_services", "booking_visits", "booking_status_history", "invoice_items", "quote_items"}
    plain: dict[str, Rows] = {name: map(_typed, rows) for name, rows in tables.items() if name not in nested}
    plain["bookings"] = (
        _typed(account.booking(number))
        | {
            "services": [_typed(row) for row in account.booking_lines(number)],
            "visits": [_typed(row) for row in account.visits(number)],
            "status_history": [_typed(row) for row in account.changes(number)],
        }
        for number in range(1, account.bookings + 1)
    )
    plain["invoices"] = (
        _typed(money.invoice(account, number)) | {"items": [_typed(row) for row in account.booking_lines(number)]}
        for number in range(1, account.invoices + 1)
    )
    plain["quotes"] = (
        _typed(money.quote(account, number)) | {"items": [_typed(row) for row in account.booking_lines(number + 7)]}
        for number in range(1, account.quotes + 1)
    )
    return plain


def _typed(row: Row) -> Row:
    """Blanks are null, keys are as JSON likes them; ids among them are called `id`."""
    return {_key(name): value if value != "" else None for name, value in row.items()}


def _key(heading: str) -> str:
    bare = heading.strip("*").replace("/", " ").replace("(", "").replace(")", "").lower().replace(" ", "_")
    own = {"customer_id", "booking_id", "invoice_id", "payment_id", "quote_id", "service_id", "rule_id"}
    return "id" if bare in own | {"field_worker_id"} else bare
