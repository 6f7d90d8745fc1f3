"""OctopusPro read from the export of its support: persons, workers, payment states and custom fields made explicit."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from app.domain.schema import FieldType, Record
from connectors.base import ConnectionContext
from connectors.column_votes import ColumnProfile
from connectors.exportkit.catalogue import TableField, TableObject
from connectors.exportkit.columns import Value
from connectors.exportkit.names import normal_name
from connectors.exportkit.source import ExportSource
from connectors.exportkit.tables import ExportTable
from connectors.octopuspro import people
from connectors.octopuspro.catalogue import CATALOGUE
from connectors.octopuspro.custom import Inventory

MOST_TOTALS = 500_000
"""Invoices whose totals are kept to tell partial payments; beyond it they count as plain payments."""
_REFUND_WORDS = ("refund", "reversal", "chargeback")
_CENT = Decimal("0.01")

_EXTRA: Mapping[str, tuple[TableField, ...]] = {
    "customers": people.EXTRA,
    "field_workers": (
        TableField("placeholder_email", "Placeholder e-mail", FieldType.BOOLEAN),
        TableField("account_state", "Account to create"),
    ),
    "bookings": (
        TableField("lead_worker", "Lead field worker", FieldType.USER, references="field_workers"),
        TableField("worker_names", "Field workers by name"),
        TableField("display_title", "Booking title"),
        TableField("closing_day", "Day of the booking's end", FieldType.DATE),
    ),
    "booking_visits": (TableField("worker_name", "Field worker by name"),),
    "booking_status_history": (TableField("author_name", "Changed by, name"),
                               TableField("changed_on", "Day of the change", FieldType.DATE)),
    "invoices": (TableField("payment_status", "Payment status", FieldType.PICKLIST),
                 TableField("outstanding", "Outstanding", FieldType.CURRENCY)),
    "invoice_items": (TableField("invoice_void", "Invoice is void", FieldType.BOOLEAN),),
    "payments": (TableField("kind", "Kind of payment", FieldType.PICKLIST),),
    "quotes": (TableField("lost_reason", "Reason for the loss"), TableField("display_title", "Quote title")),
    "services": (TableField("unit_price", "Unit price", FieldType.CURRENCY),
                 TableField("variable_price", "Variable price", FieldType.TEXTAREA)),
}  # fmt: skip


class OctopusProSource(ExportSource):
    """Implements `base.Source` over uploaded tables."""

    catalogue = CATALOGUE
    first = ("custom_fields", "field_workers", "services")

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self._custom = Inventory()
        self._workers: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._services: dict[str, str] = {}
        self._placeholders = 0
        self._totals: dict[int, Decimal] | None = None
        self._voids: set[int] = set()
        self._gathering = asyncio.Lock()

    async def learn(self, tables: Mapping[str, ExportTable]) -> None:
        """Custom fields with their types, field workers by id, e-mail and name, services by name."""
        if (listed := tables.get("custom_fields")) is not None:
            async for line in listed.records():
                self._custom.add(line)
        if (workers := tables.get("field_workers")) is not None:
            doubtful: set[str] = set()
            async for worker in workers.records(resolved=False):
                self._learn_worker(worker, doubtful)
        if (services := tables.get("services")) is not None:
            async for service in services.records():
                self._services.setdefault(normal_name(str(service.get("name", ""))), str(service["id"]))

    def _learn_worker(self, worker: Record, doubtful: set[str]) -> None:
        worker_id = str(worker["id"])
        self._names[worker_id] = str(worker.get("name", ""))
        self._placeholders += not worker.get("email")
        for text in (worker.get("email"), worker.get("name")):
            key = normal_name(str(text or ""))
            if key and key not in doubtful and self._workers.setdefault(key, worker_id) != worker_id:
                doubtful.add(key)
                del self._workers[key]
        self._workers[normal_name(worker_id)] = worker_id

    def extra_fields(self, object_name: str) -> Sequence[TableField]:
        return _EXTRA.get(object_name, ())

    def custom_type(self, obj: TableObject, profile: ColumnProfile) -> TableField | None:
        return self._custom.field(obj, profile)

    def cell_reader(self, obj: TableObject, field: TableField, profile: ColumnProfile) -> Value | None:
        return self._custom.reader(obj, field, profile)

    async def before(self, object_name: str) -> None:
        """Payments are told apart by the totals of their invoices, and lines of void invoices stay with them."""
        if object_name not in ("payments", "invoice_items"):
            return
        async with self._gathering:
            if self._totals is None:
                self._totals = await self._gather_totals()

    async def _gather_totals(self) -> dict[int, Decimal]:
        totals: dict[int, Decimal] = {}
        async for invoice in self.records("invoices"):
            if invoice.get("payment_status") == "Void":
                self._voids.add(hash(invoice["id"]))
            elif len(totals) < MOST_TOTALS and (total := _amount(invoice, "total")) is not None:
                totals[hash(invoice["id"])] = total
        return totals

    def complete_record(self, object_name: str, record: Record) -> None:
        fill = {
            "customers": people.complete_customer,
            "field_workers": _complete_worker,
            "bookings": self._complete_booking,
            "booking_services": self._complete_line,
            "quote_items": self._complete_line,
            "booking_visits": self._complete_visit,
            "booking_status_history": self._complete_change,
            "invoices": _complete_invoice,
            "invoice_items": self._complete_item,
            "payments": self._complete_payment,
            "quotes": _complete_quote,
            "services": _complete_service,
        }.get(object_name)
        if fill is not None:
            fill(record)

    def _complete_booking(self, record: Record) -> None:
        """The first worker who is known leads; all names stay readable, whoever has a login."""
        told = [self._workers.get(normal_name(text), "") for text in record.get("field_workers", ())]
        if lead := next((one for one in told if one), ""):
            record["lead_worker"] = lead
        shown = [self._names.get(one) or text for one, text in zip(told, record.get("field_workers", ()), strict=True)]
        if shown:
            record["worker_names"] = ", ".join(shown)
        record["display_title"] = str(record.get("title") or f"Booking {record.get('number') or record['id']}")
        if day := self._day(record.get("ends_at") or record.get("starts_at")):
            record["closing_day"] = day

    def _complete_visit(self, record: Record) -> None:
        if name := self._names.get(str(record.get("field_worker", ""))) or record.get("field_worker"):
            record["worker_name"] = name

    def _complete_change(self, record: Record) -> None:
        if name := self._names.get(str(record.get("changed_by", ""))) or record.get("changed_by"):
            record["author_name"] = name
        if day := self._day(record.get("changed_at")):
            record["changed_on"] = day

    def _day(self, moment: object) -> str:
        """The day that people there wrote: a moment late in the evening is of that day, whatever UTC says."""
        try:
            told = datetime.fromisoformat(str(moment)) if moment else None
        except ValueError:
            return ""
        return told.astimezone(self.zone).date().isoformat() if told and told.tzinfo else str(moment or "")[:10]

    def _complete_line(self, record: Record) -> None:
        """A line that names no service is one of the service that its words name exactly, else of none."""
        if "service" not in record:
            words = str(record.get("description", ""))
            record["service"] = self._services.get(normal_name(words)) or "no service named"

    def _complete_item(self, record: Record) -> None:
        self._complete_line(record)
        record["invoice_void"] = hash(record.get("invoice")) in self._voids

    def _complete_payment(self, record: Record) -> None:
        """Refund, partial payment or payment; one that names no invoice points to none on purpose, and is held."""
        words = " ".join(str(record.get(name, "")) for name in ("status", "method", "notes")).casefold()
        amount = _amount(record, "amount") or Decimal(0)
        total = (self._totals or {}).get(hash(record.get("invoice")))
        if record.get("refund") is True or amount < 0 or any(word in words for word in _REFUND_WORDS):
            record["kind"] = "Refund"
        else:
            record["kind"] = "Partial payment" if total is not None and amount < total - _CENT else "Payment"
        record.setdefault("invoice", "no invoice named")

    async def account_facts(self) -> dict[str, JsonValue]:
        """Billing models, signatures that stay behind, custom fields, placeholders, and charges that look wrong."""
        tables = await self.tables()
        bookings = tables.get("bookings")
        models = bookings.spec.field("billing_model") if bookings else None
        return {
            "billing_models": [one.value for one in models.picklist] if models else [],
            "not_migratable": list[JsonValue](sorted(self._custom.signatures)),
            "custom_field_inventory": self._custom.present,
            "custom_fields_without_column": list(self._custom.without_column()),
            "placeholder_emails": self._placeholders,
            "charges": {**await self._charges()},
        }

    async def _charges(self) -> dict[str, int]:
        """Invoices that are void, paid beyond their total, or whose parts do not add up."""
        found = {"void": 0, "overpaid": 0, "does_not_add_up": 0}
        async for invoice in self.records("invoices"):
            total, paid = _amount(invoice, "total"), _amount(invoice, "paid")
            parts = [_amount(invoice, name) for name in ("subtotal", "tax")]
            found["void"] += invoice.get("payment_status") == "Void"
            found["overpaid"] += total is not None and paid is not None and paid > total + _CENT
            known = [part for part in parts if part is not None]
            found["does_not_add_up"] += total is not None and len(known) == 2 and abs(sum(known) - total) > _CENT
        return found


def placeholder_email(worker_id: str) -> str:
    """An address that can belong to nobody (RFC 2606), for a worker who has none; the administrator replaces it."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in worker_id).strip("-")
    return f"field-worker-{plain.lower() or 'unnamed'}@placeholder.invalid"


def _complete_worker(record: Record) -> None:
    record["placeholder_email"] = "email" not in record
    record.setdefault("email", placeholder_email(str(record["id"])))
    gone = str(record.get("active", "")).strip().casefold() in ("inactive", "archived", "no", "false", "0")
    record["account_state"] = "inactive" if gone else "active"


def _complete_invoice(record: Record) -> None:
    """Paid, Partial or Unpaid by the amounts; Void and Draft by the status, which amounts do not tell."""
    status = str(record.get("status", "")).strip().casefold()
    total, paid = _amount(record, "total"), _amount(record, "paid")
    due = _amount(record, "due_amount")
    if due is None:
        due = (total or Decimal(0)) - (paid or Decimal(0))
    if status in ("void", "voided", "cancelled", "canceled"):
        record["payment_status"] = "Void"
        return
    if status == "draft":
        record["payment_status"] = "Draft"
    elif due <= 0 and (total or paid or status in ("closed", "paid")):
        record["payment_status"] = "Paid"
    else:
        record["payment_status"] = "Partial" if paid and paid > 0 else "Unpaid"
    record["outstanding"] = format(max(due, Decimal(0)), "f")


def _complete_quote(record: Record) -> None:
    status = str(record.get("status", "")).strip().casefold()
    if status in ("rejected", "declined", "lost"):
        record["lost_reason"] = str(record.get("rejected_because") or "Rejected by the customer")
    elif status in ("expired", "lapsed"):
        ended = record.get("valid_until")
        record["lost_reason"] = f"Expired on {ended}" if ended else "Expired"
    record["display_title"] = str(record.get("title") or f"Quote {record.get('number') or record['id']}")


def _complete_service(record: Record) -> None:
    """A fixed price is the unit price; any other rule is kept in words."""
    kind = str(record.get("price_type", "Fixed")).strip()
    price = record.get("price")
    if kind.casefold() in ("fixed", "fixed price", "flat", "") and price is not None:
        record["unit_price"] = price
        return
    said = [f"{kind}: {price}" if price is not None else kind, str(record.get("price_rule") or "")]
    record["variable_price"] = "\n".join(text for text in said if text)


def _amount(record: Record, name: str) -> Decimal | None:
    value = record.get(name)
    try:
        return None if value is None else Decimal(str(value))
    except ArithmeticError:
        return None
