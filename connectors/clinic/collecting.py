"""What has to be known of a whole table before records of another are read: people, shared addresses, sums."""

from collections.abc import AsyncIterator, Iterable, Mapping

from app.domain.quality import HashSet
from app.domain.schema import Record
from connectors.clinic.gathering import Gathered
from connectors.clinic.identity import People
from connectors.errors import ContractBroken
from connectors.exportkit.tables import ExportTable

_WIDE = 0xFFFFFFFFFFFFFFFF
_CHARGED = frozenset({"", "charge", "item", "fee", "service", "invoice"})
_NAMED = ("first_name", "middle_name", "last_name", "name", "birth_date", "medicare_no")
_PLAN = ("payer_id", "policy_no", "group_no", "priority", "effective")
Person = tuple[int, str]
"""The place of the table and the id within: who comes first keeps what is shared."""


async def know_people(patients: ExportTable) -> tuple[People, dict[str, str]]:
    """All patients by id, person and name; and for those who were merged away, the patient they live on as.

    A patient whose survivor is not in the export, or who is the survivor in the end, was not merged away.
    """
    people, known, said = People(), HashSet(), dict[str, str]()
    async for key, record in _partly(patients, (*_NAMED, "merged_into")):
        if known.add(hash(key) & _WIDE):
            people.add(record, key)
            if survivor := str(record.get("merged_into") or ""):
                said[key] = survivor
    return people, {key: end for key in said if (end := _survivor(key, said)) and people.knows(end)}


def _survivor(key: str, said: Mapping[str, str]) -> str:
    """The end of a chain of merges; "" when it runs in a circle."""
    seen = {key}
    while key in said:
        key = said[key]
        if key in seen:
            return ""
        seen.add(key)
    return key


async def share_emails(holders: Iterable[ExportTable], merged: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """Who keeps an address that several people have, by address; and how many people have to do without theirs.

    The first person by id keeps it, one of a later table only if nobody of an earlier one has it (ruling 21).
    """
    tables = list(holders)
    seen, twice = HashSet(), HashSet()
    async for _, address in _addresses(tables, merged):
        if not seen.add(hash(address) & _WIDE):
            twice.add(hash(address) & _WIDE)
    owners: dict[str, Person] = {}
    people = 0
    async for person, address in _addresses(tables, merged):
        if hash(address) & _WIDE in twice:
            people += 1
            owners[address] = min(owners.get(address, person), person)
    return {address: key for address, (_, key) in owners.items()}, people - len(owners)


async def _addresses(tables: Iterable[ExportTable], merged: Mapping[str, str]) -> AsyncIterator[tuple[Person, str]]:
    """The address of every person once; people who were merged into others have none."""
    for place, table in enumerate(tables):
        if "email" not in table.columns:
            continue
        known = HashSet()
        async for key, record in _partly(table, ("email",)):
            address = str(record.get("email") or "").strip().casefold()
            if known.add(hash(key) & _WIDE) and address and (place or key not in merged):
                yield (place, key), address


async def _partly(table: ExportTable, names: Iterable[str]) -> AsyncIterator[tuple[str, Record]]:
    """Key and a few fields of every row in the order of the file. Raises ContractBroken naming the column."""
    table.require_readable()
    columns = [(name, one.index, one.read) for name in names if (one := table.columns.get(name)) and one.read]
    async for block in table.rows():
        for row in block:
            if not (key := table.key(row.cells)):
                continue
            try:
                found = {name: read(row.cells[at]) for name, at, read in columns if row.cells[at]}
            except (ValueError, OverflowError):
                wanted = ", ".join(one for one, _, _ in columns)
                raise ContractBroken(f"{table.stored.name}: a value of {wanted} cannot be read") from None
            yield key, found


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
