"""One object's fields made ready for comparison: words, meanings, address blocks, value shapes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from app.domain.matching.columns import Column, Table, with_guessed_type
from app.domain.matching.concepts import meanings
from app.domain.matching.kind_names import kind_of_name
from app.domain.matching.languages import Language, borrowed, to_english
from app.domain.matching.names import MAX_NAME, spell_out, split
from app.domain.matching.own_keys import named_after
from app.domain.matching.prefixes import without_prefix
from app.domain.matching.reading import PLAIN, Reading, prefix_of, reading_of, without
from app.domain.matching.systems import KnownField, KnownObject
from app.domain.schema import FieldType

_WHOLE = FieldType.COMPOUND
_PEOPLE = frozenset({"contact", "lead", "user"})
_ACTIVITIES = frozenset({"task", "event", "call", "note", "activity"})
NUMBERS = {
    "account_number": "account", "quote_number": "quote", "invoice_number": "invoice", "order_number": "order",
    "po_number": "purchase_order", "case_number": "case", "product_code": "product", "solution_number": "solution",
}  # fmt: skip
"""Meanings of fields that number the records of an object of that kind."""
_NUMBERING = frozenset({"id", "number", "code", "key", "reference"})
_PLAIN_NUMBERS = frozenset({"number", "numero", "nummer", "numer", "no", "nr", "n", "num"})
_REFERRING = {
    "account": "account", "contact": "contact", "deal": "deal", "user": "owner", "product": "product",
    "vendor": "vendor", "campaign": "campaign", "quote": "quote", "order": "sales_order",
}  # fmt: skip
"""What a field means that refers to an object of a kind."""
_USER = frozenset({"user", "id"})
_ASSIGNED = frozenset({"assigned", "responsible", "owner", "handled", "assignee"})
_SAME_PEOPLE = frozenset({"sale", "sales", "customer", "customers", "client", "clients", "patient", "patients"})
"""Words that name another kind of object than the table's without pointing to another record."""
_TENANT = frozenset({"organization", "id", "advertisement", "ad", "number"})
_STAGES = frozenset({"stage", "step", "milestone", "phase"})
_STATUS = frozenset({"status", "state", "deal", "opportunity", "lead", "id"})
_STAMP = frozenset({"timestamp", "stamp"})
_MOMENT = frozenset({"date", "time", "t", "datetime", "record", "row"})
_ORDINALS = {"one": "1", "two": "2", "three": "3", "second": "2", "third": "3", "primary": "1", "secondary": "2"}


@dataclass(slots=True)
class Item:
    """A field with what was read out of its names."""

    column: Column
    label: tuple[str, ...]
    name: tuple[str, ...]
    concepts: dict[str, float]
    block: str
    known: KnownField | None = None

    @property
    def top(self) -> str:
        """The main meaning when there is a strong one, else ""."""
        best = max(self.concepts.items(), key=lambda one: one[1], default=("", 0.0))
        return best[0] if best[1] >= 0.8 else ""


@dataclass(slots=True)
class Side:
    """An object ready for comparison. `own_words` are words that name the object itself."""

    table: Table
    kind: str
    items: list[Item]
    own_words: frozenset[str]
    main_block: str = ""
    blocks: tuple[str, ...] = ()
    vocabulary: frozenset[str] = field(default_factory=frozenset)


def own_words_of(table: Table, kind: str, reading: Reading = PLAIN) -> frozenset[str]:
    """Words that name the object: its name and label in singular, in English too, and its kind."""
    own = {*split(table.name), *split(table.label), kind}
    own |= {*to_english(table.label or table.name, reading.labels), *to_english(table.name, reading.names)}
    own |= {*spell_out(split(table.name)), *spell_out(split(table.label))}
    if kind_of_name(table.name) == "account":  # a table of customers numbers customers, whatever else it calls them
        own |= {"customer", "client"} | ({"account"} if reading.names or reading.labels else set())
    if len(split(table.name)) > 1:  # a company's contacts: the company is another record
        own = {word for word in own if kind_of_name(word) in {"", kind} or word in _SAME_PEOPLE}
    own |= {word.removesuffix("s") for word in own} | {
        word.removesuffix("ies") + "y" for word in own if word[-3:] == "ies"
    }
    return frozenset(own - {"of", "and", ""})


def prepare(
    table: Table,
    kind: str,
    reading: Reading,
    known: KnownObject | None = None,
    near: frozenset[str] = frozenset(),
) -> Side:
    """The object ready for comparison; `near` are words likely to be meant by short forms (the other side's)."""
    reading = reading.of(table)
    own = own_words_of(table, kind, reading)
    columns = (with_guessed_type(reading.referring(column, table)) for column in table.columns)
    prefix = "" if known else prefix_of(table)
    items = [_item(column, kind, reading, known, near, own, prefix) for column in columns]
    _complete_names(items, kind, own)
    _complete_streets(items)
    _complete_products(items, kind)
    _complete_owners(items)
    _complete_emails(items)
    _complete_parents(items, kind, own)
    _complete_tenants(items, kind)
    _complete_stages(items, kind)
    _complete_phones(items, kind)
    _complete_stamps(items)
    _mark_own_key(items, table, kind, prefix)
    _mark_key(items, kind, own)
    blocks = tuple(dict.fromkeys(item.block for item in items if item.block))
    vocabulary = frozenset(word for item in items for word in (*item.label, *item.name))
    main = known.main_block if known and known.main_block in blocks else _main_block(blocks, kind)
    return Side(table, kind, items, own, main, blocks, vocabulary)


def _item(
    column: Column,
    kind: str,
    reading: Reading,
    known: KnownObject | None,
    near: frozenset[str],
    own: frozenset[str],
    prefix: str = "",
) -> Item:
    label = _words(without_prefix(column.shown, prefix), reading.labels, reading.platform, near)
    name = _words(without_prefix(column.name, prefix), reading.names, reading.platform, near)
    given = known.field(column.name) if known else None
    if given is not None and given.concepts:
        weights = {concept: 1.0 - 0.05 * place for place, concept in enumerate(given.concepts)}
        return Item(column, label, name, weights, given.block, given)
    if given is not None:
        return Item(column, label, name, {}, "", given)
    found, block = meanings((label, name), kind, own)
    _add_reference(found, column, kind)
    return Item(column, label, name, found, block)


@lru_cache(maxsize=20_000)
def _words(text: str, language: Language | None, platform: str, near: frozenset[str]) -> tuple[str, ...]:
    tokens = without(platform, to_english(text[:MAX_NAME], language))
    return spell_out([part for one in tokens for part in ((one not in near and borrowed(one)) or (one,))], near)


def _add_reference(found: dict[str, float], column: Column, kind: str) -> None:
    """What a field refers to says what it means; in activities everything but the person is what they relate to."""
    to = kind_of_name(column.reference)
    meaning = _REFERRING.get(to)
    if meaning is not None and to != kind and max(found.values(), default=0.0) < 0.8:
        found[meaning] = 0.85
    if kind in _ACTIVITIES and {one for one in ("account", "deal") if found.get(one, 0.0) >= 0.8}:
        found.setdefault("related_to", 0.8)
    if kind == "event" and found.get("contact", 0.0) >= 0.8:  # where a meeting has no contact, it has those who attend
        found.setdefault("attendees", 0.7)
        found.setdefault("related_to", 0.7)


def _complete_streets(items: Sequence[Item]) -> None:
    """A plain number right behind a street is the house's: Logradouro, Número."""
    for before, one in pairwise(items):
        if before.top == "street" and one.known is None and {*split(one.column.shown)} <= _PLAIN_NUMBERS:
            one.concepts, one.block = {"house_number": 0.95}, before.block
            one.label = one.name = ("house", "number")


def _complete_products(items: Sequence[Item], kind: str) -> None:
    """Where nothing else names an article, its description does."""
    described = [one for one in items if one.top == "description" and one.known is None]
    said = len(described) == 1 and "description" in described[0].label
    if kind == "product" and said and not any(one.top == "name" for one in items):
        described[0].concepts = {"name": 0.9}


def _complete_owners(items: Sequence[Item]) -> None:
    """A plain user beside somebody it is assigned to is who entered the record: user_id, assigned_to."""
    owners = [one for one in items if one.top == "owner" and one.known is None]
    plain = [one for one in owners if {*one.label} <= _USER]
    assigned = [one for one in owners if {*one.label} & _ASSIGNED]
    if len(plain) == 1 and assigned and not any(one.top == "created_by" for one in items):
        plain[0].concepts = {"created_by": 0.85}


def _complete_names(items: Sequence[Item], kind: str, own: frozenset[str]) -> None:
    """A plain "Name" beside a first name is the last name, beside a last name the first: Name, Vorname; Nom, Prénom."""
    if kind not in _PEOPLE:
        return
    halves = {"first_name", "last_name"}
    there = {one.top for one in items} & halves
    plain = [
        one for one in items
        if one.known is None and one.top == "full_name" and {*one.label} - own == {"name"} and one.column.type != _WHOLE
    ]  # fmt: skip
    if len(there) == 1 and len(plain) == 1:
        plain[0].concepts = {next(iter(halves - there)): 0.95}
    titled = [one for one in items if one.top == "job_title" and one.known is None]
    if any(one.top == "salutation" for one in items):  # a title beside it is a doctor's or a professor's
        for one in titled if len(titled) > 1 else ():
            if one.label == ("title",):
                one.concepts, one.label, one.name = {"suffix": 0.95}, ("academic", "title"), ("academic", "title")
        return
    following = {id(one): after.top for one, after in pairwise(items)}
    for one in titled:  # beside an occupation, or right before a name, a title is how a person is addressed
        if one.label == ("title",) and (len(titled) > 1 or following.get(id(one)) in halves):
            one.concepts, one.label, one.name = {"salutation": 0.95}, ("salutation",), ("salutation",)


def _complete_emails(items: Sequence[Item]) -> None:
    """A list of addresses is the address where there is no other."""
    if not any(one.top == "email" for one in items):
        for one in (one for one in items if one.known is None and one.label == ("emails",)):
            one.concepts, one.label = {"email": 0.95}, ("email",)


def _complete_parents(items: Sequence[Item], kind: str, own: frozenset[str]) -> None:
    """A parent without its type is of its own kind: a task's task, not the record that a task is about."""
    if kind not in _ACTIVITIES or any(one.top == "related_type" for one in items):
        return
    for one in items:
        if one.known is None and "parent" in one.label and {*one.label, *one.name} <= {"parent", "id", *own}:
            one.concepts = {"parent": 0.9}


def _complete_tenants(items: Sequence[Item], kind: str) -> None:
    """An organization beside a customer is the one whose program it is: C_BPartner_ID, AD_Org_ID."""
    if kind == "account":
        return
    told = [one for one in items if one.known is None and "account" in one.concepts and one.top in {"account", "name"}]
    own = [one for one in told if {*one.label} <= _TENANT and {*one.name} <= _TENANT]
    if own and len(own) < len(told):
        for one in own:
            one.concepts = {"tenant": 0.85}


def _complete_stages(items: Sequence[Item], kind: str) -> None:
    """A plain status beside a stage says no more than open, won or lost."""
    told = [one for one in items if kind == "deal" and one.known is None and one.top == "stage"]
    if any({*one.label} & _STAGES for one in told):
        for one in told:
            if {*one.label} <= _STATUS:
                one.concepts = {"record_status": 0.85}


def _complete_phones(items: Sequence[Item], kind: str) -> None:
    """A second number is likely to be the mobile one where none is called so."""
    others = [one for one in items if kind in _PEOPLE and one.known is None and one.top == "other_phone"]
    if len(others) == 1 and not any(one.top == "mobile" for one in items):
        others[0].concepts.setdefault("mobile", 0.7)


def _complete_stamps(items: Sequence[Item]) -> None:
    """A plain time stamp is when the record was last changed, where nothing else is."""
    plain = [one for one in items if one.known is None and {*one.name} & _STAMP and {*one.name} <= _STAMP | _MOMENT]
    if len(plain) == 1 and not any(one.top == "modified_time" for one in items):
        plain[0].concepts = {"modified_time": 0.85}


def _mark_own_key(items: Sequence[Item], table: Table, kind: str, prefix: str) -> None:
    """A column called like its table is the table's key: C_Order_ID in C_Order, AptNum in appointment."""
    if any(one.known is not None or one.column.primary_key or one.concepts.get("id", 0.0) >= 1.0 for one in items):
        return
    called = [named_after(without_prefix(one.column.name, prefix), table, kind) for one in items]
    if (whole := [one for one, how in zip(items, called, strict=True) if how == "whole"]) or called[:1] == ["short"]:
        key = whole[0] if whole else items[0]
        if NUMBERS.get(key.top) != kind or "id" in split(key.column.name):
            key.concepts, key.block = {"id": 1.0 if whole else 0.95}, ""


def _mark_key(items: Sequence[Item], kind: str, own: frozenset[str]) -> None:
    """The first column numbers its own records ("N° devis", "ASP_NR") where nothing else is a key."""
    if not items or items[0].known is not None or any(one.column.primary_key or one.top == "id" for one in items):
        return
    first = items[0]
    for words in ({*(first.label or first.name)}, {*first.name}):
        if NUMBERS.get(first.top) != kind and words - own <= _NUMBERING and words & _NUMBERING:
            first.concepts = {"id": 0.95}


def _main_block(blocks: Sequence[str], kind: str) -> str:
    """The block a record's first address stands in."""
    order = ("billing", "main", "mailing", "shipping", "other", "home")
    if kind in {"contact", "lead"}:
        order = ("mailing", "main", "home", "billing", "other", "shipping")
    return next((one for one in order if one in blocks), blocks[0] if blocks else "")


def block_plan(source: Side, target: Side) -> dict[str, str]:
    """Which source block goes into which destination block: equal names first, then main into main, then the rest."""
    plain = any(item.block == "" and item.top in {"street", "city", "postal_code"} for item in source.items)
    here = list(dict.fromkeys(([""] if plain else []) + list(source.blocks)))
    there = list(target.blocks) or [""]
    first = target.main_block if target.blocks else ""
    ours = (
        ""
        if plain and not ({"billing", "main", "mailing"} & set(here))
        else _main_block([one for one in here if one], source.kind)
    )
    plan: dict[str, str] = {}
    if ours in here and (ours not in there or ours == first or ours in {"main", "mailing", ""}):
        plan[ours] = first
    for block in here:
        if block and block not in plan and block in there and block not in plan.values():
            plan[block] = block
    if "" in here and "" not in plan and first not in plan.values():
        plan[""] = first
    for block, others in (
        ("", ("shipping", "other")), ("other", ("shipping",)), ("shipping", ("other",)), ("home", ("other", "mailing")),
    ):  # fmt: skip
        for other in others:
            if block in here and block not in plan and other in there and other not in plan.values():
                plan[block] = other
    return plan


def digits_of(item: Item) -> frozenset[str]:
    """Numbers that tell repeated fields apart ("Phone 2"); 1 counts as none."""
    found = re.findall(r"\d+", f"{' '.join(item.label)} {' '.join(item.name)}")
    return frozenset(one for one in found if one != "1" and len(one) < 4) | frozenset(
        _ORDINALS[word] for word in item.label if word in {"second", "third", "secondary"}
    )


__all__ = ["Item", "Reading", "Side", "block_plan", "digits_of", "prepare", "reading_of"]
