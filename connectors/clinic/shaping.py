"""Fields that the reader of clinic exports computes, and how each record gets them from what was gathered before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from hashlib import blake2b

from app.domain.schema import FieldSpec, Record
from app.domain.schema import FieldType as T
from connectors.clinic.derived import (
    amount,
    billing_state,
    denial_state,
    history,
    is_done,
    only_text,
    patient_state,
    shown,
    visit_times,
)
from connectors.clinic.gathering import Gathered
from connectors.clinic.identity import People, person_id, read_name, repeated_person
from connectors.clinic.sheets import HiddenFields, read_json
from connectors.exportkit.catalogue import TableField
from connectors.exportkit.names import normal_name

SLOTS = 3
_RANKS = {"primary": 0, "1": 0, "first": 0, "secondary": 1, "2": 1, "second": 1, "tertiary": 2, "3": 2, "third": 2}


def _made(name: str, label: str, kind: T = T.TEXT, *, to: str = "", health: bool = False) -> TableField:
    return TableField(name, label, T.LOOKUP if to else kind, references=to, sensitive=health)


_NAME = (_made("given", "Given name"), _made("middle", "Middle name"), _made("family", "Family name"))
_EMAIL = (
    _made("full_name", "Full name"),
    _made("own_email", "Own e-mail", T.EMAIL),
    _made("shared_email", "Shared e-mail"),
)

EXTRA: dict[str, tuple[TableField, ...]] = {
    "patients": (
        *_NAME,
        *_EMAIL,
        _made("record_state", "State", health=True),
        _made("do_not_contact", "Do not contact", T.BOOLEAN),
        *(_made(f"plan{number}_inline", f"Policy {number} in the row", T.BOOLEAN) for number in range(1, SLOTS + 1)),
    ),
    "referrers": (*_NAME, *_EMAIL, _made("practice_id", "Practice", to="practices")),
    "appointments": (
        _made("begins", "Begins", T.DATETIME),
        _made("finishes", "Finishes", T.DATETIME),
        _made("minutes", "Minutes", T.DECIMAL),
        _made("lasting", "Visit with a duration", T.BOOLEAN),
        _made("progress", "Progress"),
    ),
    "invoices": (
        _made("total_billed", "Billed in total", T.CURRENCY),
        _made("total_paid", "Paid in total", T.CURRENCY),
        _made("balance", "Balance", T.CURRENCY),
        _made("last_payment", "Last payment", T.DATE),
        _made("payment_history", "Payment history", T.TEXTAREA),
        _made("billing_state", "Billing state"),
        _made("denial_state", "Denial"),
    ),
    "lab_results": (_made("only_text", "Nothing but text", T.BOOLEAN),),
}
"""Computed fields by object; see `Shaper`."""


def fallback_fields(object_name: str) -> Sequence[FieldSpec]:
    """Fields of the catalogue that are computed where the files lack their column."""
    found = [FieldSpec(name="patient_id", label="Patient", type=T.LOOKUP, references=("patients",))]
    if object_name == "providers":
        return [FieldSpec(name="name", label="Name")]
    if object_name == "patients":
        made = []
        for number in range(1, SLOTS + 1):
            prefix, label = f"insurance{number}", f"Insurance {number}"
            made += [
                FieldSpec(name=f"{prefix}_payer_id", label=f"{label} payer", type=T.LOOKUP, references=("payers",)),
                FieldSpec(name=f"{prefix}_policy", label=f"{label} policy", sensitive=True),
                FieldSpec(name=f"{prefix}_group", label=f"{label} group", sensitive=True),
            ]
        return made
    return found if object_name in WITH_PATIENT else ()


WITH_PATIENT = ("appointments", "invoices", "treatment_plans", "lab_results")


def practice_id(name: str) -> str:
    """The same for a practice however its name is written in capitals and blanks."""
    return "practice-" + blake2b(normal_name(name).encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass
class Shaper:
    """Computes the fields of one export; what it looks up was gathered by the source beforehand."""

    zone: tzinfo | None
    visit_minutes: int
    people: People | None = None
    email_owners: dict[str, str] = field(default_factory=dict)
    plans: Gathered | None = None
    payments: Gathered | None = None
    charges: Gathered | None = None
    sheet: Gathered | None = None
    sheet_fields: HiddenFields = field(default_factory=HiddenFields)
    cells: dict[str, dict[str, HiddenFields]] = field(default_factory=dict)

    def shape(self, object_name: str, record: Record) -> None:
        """Fills the computed fields of a record in place."""
        for name, hidden in self.cells.get(object_name, {}).items():
            for label, text in read_json(str(record.pop(name, ""))) or ():
                hidden.fill(record, label, text)
        if object_name in WITH_PATIENT:
            self._patient_of(record)
        shape = {
            "patients": self._patient, "referrers": self._referrer, "providers": _provider,
            "appointments": self._appointment, "invoices": self._invoice, "lab_results": _result,
        }.get(object_name)  # fmt: skip
        if shape is not None:
            shape(record)

    def _patient_of(self, record: Record) -> None:
        if self.people is not None:
            found = self.people.find(record)
        else:
            key = repeated_person(record)[1]
            found = str(record.get("patient_id") or "") or (person_id(key) if key else "")
        if found:
            record["patient_id"] = found

    def _patient(self, record: Record) -> None:
        _name(record)
        self._email(record)
        record["record_state"] = patient_state(record)
        record["do_not_contact"] = record["record_state"] in ("Deceased", "Archived")
        inline = [record.get(f"insurance{number}_payer_id") or record.get(f"insurance{number}_policy")
                  for number in range(1, SLOTS + 1)]  # fmt: skip
        for number, value in enumerate(inline, 1):
            record[f"plan{number}_inline"] = bool(value)
        if not any(inline) and self.plans is not None:
            self._plans(record)
        for label, text in self.sheet.of(str(record["id"])) if self.sheet is not None else ():
            self.sheet_fields.fill(record, label, text)

    def _plans(self, record: Record) -> None:
        """Policies of a table of their own fill the patient's slots by priority, the latest first."""
        rows = self.plans.of(str(record["id"])) if self.plans is not None else []
        rows.sort(key=lambda row: str(row[4]), reverse=True)
        ranked = sorted(rows, key=lambda row: _RANKS.get(str(row[3]).strip().casefold(), SLOTS))
        for number, (payer, policy, group, *_) in enumerate(ranked[:SLOTS], 1):
            values = {"payer_id": payer, "policy": policy, "group": group}
            record |= {f"insurance{number}_{name}": value for name, value in values.items() if value}

    def _email(self, record: Record) -> None:
        """A shared address stays with one person; the others carry it aside (ruling 21)."""
        address = str(record.get("email") or "").strip()
        if not address:
            return
        owner = self.email_owners.get(address.casefold())
        record["own_email" if owner is None or owner == record["id"] else "shared_email"] = address

    def _referrer(self, record: Record) -> None:
        _name(record)
        self._email(record)
        if practice := str(record.get("practice") or "").strip():
            record["practice_id"] = practice_id(practice)

    def _appointment(self, record: Record) -> None:
        begins, finishes, minutes = visit_times(record, self.zone)
        record |= {name: value for name, value in (("begins", begins), ("finishes", finishes)) if value}
        if minutes:
            record["minutes"] = shown(minutes.quantize(Decimal("0.01")))
        record["lasting"] = bool(finishes) and minutes >= self.visit_minutes
        record["progress"] = "Done" if is_done(record) else "Open"

    def _invoice(self, record: Record) -> None:
        paid_in = self.payments.of(str(record["id"])) if self.payments is not None else []
        lines = self.charges.of(str(record["id"])) if self.charges is not None else []
        billed = amount(record.get("billed"))
        if billed is None and lines:
            billed = sum((Decimal(row[0]) for row in lines), Decimal(0))
        paid = amount(record.get("paid"))
        sums = [Decimal(row[1]) for row in paid_in if row[1]] or [Decimal(row[1]) for row in lines if row[1]]
        if paid is None and sums:
            paid = sum(sums, Decimal(0))
        balance = amount(record.get("outstanding"))
        if balance is None and billed is not None:
            balance = billed + (amount(record.get("adjustments")) or 0) - (paid or 0)
        last = max([str(row[0]) for row in paid_in if row[0]] or [str(record.get("payment_date") or "")])
        found = {
            "total_billed": shown(billed), "total_paid": shown(paid), "balance": shown(balance),
            "last_payment": last[:10],
            "payment_history": history([(str(row[0]), str(row[1]), str(row[2])) for row in paid_in]),
            "denial_state": denial_state(record), "billing_state": billing_state(record, billed, paid, balance),
        }  # fmt: skip
        record |= {name: value for name, value in found.items() if value}


def _name(record: Record) -> None:
    name = read_name(record)
    found = {"given": name.given, "middle": name.middle, "family": name.family, "full_name": name.full}
    record |= {field_name: value for field_name, value in found.items() if value}


def _provider(record: Record) -> None:
    if not record.get("name"):
        parts = (str(record.get(name) or "") for name in ("title", "first_name", "last_name"))
        if full := " ".join(part for part in parts if part):
            record["name"] = full


def _result(record: Record) -> None:
    record["only_text"] = only_text(record)
