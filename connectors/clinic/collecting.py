"""What has to be known of a whole table before records of another are read: people, shared addresses, sums."""

from collections.abc import AsyncIterator, Iterable

from app.domain.quality import HashSet
from app.domain.schema import Record
from connectors.clinic.gathering import Gathered
from connectors.clinic.identity import People
from connectors.exportkit.tables import ExportTable

_WIDE = 0xFFFFFFFFFFFFFFFF
_CHARGED = frozenset({"", "charge", "item", "fee", "service", "invoice"})
_PLAN = ("payer_id", "policy_no", "group_no", "priority", "effective")
Person = tuple[int, str]
"""The place of the table and the id within: who comes first keeps what is shared."""


async def know_people(patients: ExportTable) -> tuple[People, int]:
    """All patients by id, person and name, and how many of them were merged into others."""
    people, known, merged = People(), HashSet(), 0
    async for record in patients.records(resolved=False):
        if known.add(hash(record[patients.primary]) & _WIDE):
            people.add(record, patients.primary)
            merged += bool(record.get("merged_into"))
    return people, merged


async def share_emails(holders: Iterable[ExportTable]) -> tuple[dict[str, str], int]:
    """Who keeps an address that several people have, by address; and how many people have to do without theirs.

    The first person by id keeps it, one of a later table only if nobody of an earlier one has it (ruling 21).
    """
    tables = list(holders)
    seen, twice = HashSet(), HashSet()
    async for _, address in _addresses(tables):
        if not seen.add(hash(address) & _WIDE):
            twice.add(hash(address) & _WIDE)
    owners: dict[str, Person] = {}
    people = 0
    async for person, address in _addresses(tables):
        if hash(address) & _WIDE in twice:
            people += 1
            owners[address] = min(owners.get(address, person), person)
    return {address: key for address, (_, key) in owners.items()}, people - len(owners)


async def _addresses(tables: Iterable[ExportTable]) -> AsyncIterator[tuple[Person, str]]:
    """The address of every person once; people who were merged into others have none."""
    for place, table in enumerate(tables):
        if "email" not in table.columns:
            continue
        known = HashSet()
        async for record in table.records(resolved=False):
            key = str(record[table.primary])
            address = str(record.get("email") or "").strip().casefold()
            if known.add(hash(key) & _WIDE) and address and not record.get("merged_into"):
                yield (place, key), address


async def gather_plans(table: ExportTable) -> Gathered:
    """Payer, policy, group, priority and beginning of policies, by patient."""
    plans = Gathered()
    async for record in table.records():
        plans.add(str(record.get("patient_id") or ""), [record.get(name) or "" for name in _PLAN])
    return plans


async def gather_lines(table: ExportTable) -> Gathered:
    """Payments or charges by invoice; a line without an invoice is left to the file of lines."""
    lines = Gathered()
    make = _payment if table.name == "payments" else _charge
    async for record in table.records():
        if invoice := str(record.get("invoice_id") or ""):
            lines.add(invoice, make(record))
    return lines


def _payment(record: Record) -> list[str]:
    return [str(record.get(name) or "") for name in ("date", "amount", "method")]


def _charge(record: Record) -> list[str]:
    """What the line bills, and what it says was paid."""
    billed = str(record.get("type") or "").strip().casefold() in _CHARGED
    return [str(record.get("amount") or "0") if billed else "0", str(record.get("payment") or "")]
