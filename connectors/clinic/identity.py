"""Who is meant: names in one cell or in several, and the patient of a row that repeats the person instead of a key."""

import re
from hashlib import blake2b
from typing import NamedTuple

from app.domain.schema import Record
from app.domain.texts import name_parts
from connectors.exportkit.names import Found, NameIndex, normal_name

ONLY_NAME = "ONLYNAME"
"""Stands for the given name of people who have one name only (fact sheet 4.1)."""
_INITIAL = re.compile(r"\w\.?", re.UNICODE)
MOST_NAMES = 8_000_000
"""Up to three ways to name each of two million patients, at some forty bytes each."""
_KEY, _NAME = "key", "name"
_RANKS = 2


class PersonName(NamedTuple):
    """A name in its parts; `family` alone holds a name of one word."""

    given: str
    middle: str
    family: str

    @property
    def full(self) -> str:
        return " ".join(part for part in self if part)


def read_name(record: Record) -> PersonName:
    """The name out of its columns, or out of one cell such as "DOE, Jane M"."""
    given, middle, family = (_text(record, name) for name in ("first_name", "middle_name", "last_name"))
    if not family and not given:
        given, family = name_parts(_text(record, "name"))
        words = given.split()
        if not middle and len(words) > 1 and _INITIAL.fullmatch(words[-1]):
            given, middle = " ".join(words[:-1]), words[-1]
    if given.casefold() == ONLY_NAME.casefold():
        given = ""
    return PersonName(given, middle, family) if family else PersonName("", middle, given)


def person_key(family: str, given: str, born: str, card: str = "") -> str:
    """What tells people apart where there is no id: the name with birth date or card number, "" without one of both."""
    proof = born or normal_name(card)
    if not proof or not (family or given):
        return ""
    return f"{normal_name(family)}|{normal_name(given)}|{proof}"


def person_id(key: str) -> str:
    """The id of a person who has none: it stands in ledgers and logs, so nothing can be read from it."""
    return "h" + blake2b(key.encode("utf-8", "replace"), digest_size=12).hexdigest()


def repeated_person(record: Record) -> tuple[PersonName, str]:
    """The person whom a row of another table repeats, and the key; the key is "" when the row says too little."""
    parts = {
        "first_name": record.get("patient_first"),
        "last_name": record.get("patient_last"),
        "name": record.get("patient_name"),
    }
    name = read_name({field: value for field, value in parts.items() if value})
    born, card = _text(record, "patient_dob"), _text(record, "patient_medicare")
    return name, person_key(name.family, name.given, born, card)


class People:
    """The patients of an export by id, by person key and by name. A key or name of two patients means neither."""

    def __init__(self) -> None:
        self._index = NameIndex(MOST_NAMES)

    def add(self, record: Record, patient_id: str) -> None:
        name = read_name(record)
        born, card = _text(record, "birth_date"), _text(record, "medicare_no")
        keys = [person_key(name.family, name.given, born)]
        short = f"{_NAME}:{name.given} {name.family}" if name.given else ""
        self._index.add(patient_id, [f"{_KEY}:{keys[0]}" if keys[0] else "", short])
        if card and (other := person_key(name.family, name.given, "", card)):
            self._index.add(patient_id, [f"{_KEY}:{other}"])

    def knows(self, patient_id: str) -> bool:
        return self._index.look(patient_id, 0)[0] is Found.ID

    def find(self, record: Record) -> str:
        """The id of the patient of a row: the one it gives, else by the person it repeats; "" when nobody is certain.

        An id that no patient has stays as it is: it points to nobody and is reported as such. A name without a birth
        date counts where one patient alone bears it.
        """
        given = _text(record, "patient_id")
        if given and self.knows(given):
            return given
        name, key = repeated_person(record)
        if key and (found := self._index.look(f"{_KEY}:{key}", 1)[1]):
            return found
        if key or not (given or name.full):
            return given
        spelt = read_name({"name": given}) if given else name
        found = self._index.look(f"{_NAME}:{spelt.given} {spelt.family}", _RANKS)[1] if spelt.given else ""
        return found or given


def _text(record: Record, name: str) -> str:
    return str(record.get(name) or "").strip()
