"""What is known of named systems: their standard objects and fields with what each means, as data files."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app.domain.matching.columns import Column, Schema, Table, read_type
from app.domain.matching.names import fold
from app.domain.matching.shelf import phrases, read_folder
from app.domain.schema import FieldType

_LINE = re.compile(
    r"(?P<name>\S.*?) (?P<type>[a-z]+)(?:>(?P<to>[\w.]+))?(?P<flags>(?: [!~])*) (?P<means>[\w.,-]+)(?: =(?P<list>\w+))?"
    r"(?: # (?P<label>.+))?"
)
_KINDS = frozenset({*(one.value for one in FieldType), "image", "decimal"})
FINGERPRINT = 0.5
"""Share of an unnamed schema's fields that must be a known system's for it to be taken for that system."""


@dataclass(frozen=True, slots=True)
class KnownField:
    """A standard field: `concepts` are its meanings, the first the main one; `block` its address block."""

    column: Column
    concepts: tuple[str, ...]
    block: str = ""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """A standard object: `main_block` is the address block that comes first."""

    name: str
    label: str
    kind: str
    fields: dict[str, KnownField]
    main_block: str = ""
    by_words: dict[str, KnownField] = field(default_factory=dict)

    def field(self, name: str) -> KnownField | None:
        """A field by its API name, however that is written ("First Name", "first_name")."""
        return self.fields.get(name) or self.by_words.get(_squeezed(name))


@dataclass(frozen=True, slots=True)
class System:
    """A system somebody described."""

    name: str
    known_as: tuple[str, ...]
    objects: dict[str, KnownObject] = field(default_factory=dict)

    def object(self, name: str) -> KnownObject | None:
        low = name.casefold()
        return next((self.objects[one] for one in (name, low, singular(low)) if one in self.objects), None)

    def schema(self) -> Schema:
        """The system's standard schema, for work without a connection."""
        unique = {id(one): one for one in self.objects.values()}.values()
        tables = (Table(one.name, one.label, tuple(known.column for known in one.fields.values())) for one in unique)
        return Schema(self.name, tuple(tables))


def singular(name: str) -> str:
    """An API name that stands in the plural, in the singular: "sales_accounts" → "sales_account"."""
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


@cache
def systems() -> tuple[System, ...]:
    """Every described system, sources and destinations."""
    return tuple(_read(document) for folder in ("systems", "destinations") for _, document in read_folder(folder))


def find_system(platform: str) -> System | None:
    """The system somebody calls `platform`."""
    wanted = _squeezed(platform)
    return next((one for one in systems() if wanted and wanted in one.known_as), None)


def recognise(schema: Schema) -> System | None:
    """The system a schema is of: by its platform's name, else by its objects' and fields' API names."""
    named = find_system(schema.platform)
    if named is not None:
        return named
    best, share = None, FINGERPRINT
    for system in systems():
        known = total = 0
        for table in schema.tables:
            there = system.objects.get(table.name)
            total += len(table.columns)
            known += sum(one.name in there.fields for one in table.columns) if there else 0
        if total >= 20 and known / total > share:
            best, share = system, known / total
    return best


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(name))


def _read(document: dict[str, Any]) -> System:
    name = document["system"]
    objects: dict[str, KnownObject] = {}
    for key, given in document["objects"].items():
        made = _read_object(key, given, document)
        objects[key] = made
        objects.setdefault(key.casefold(), made)
    return System(name, tuple({_squeezed(one) for one in (name, *document["known_as"])}), objects)


def _read_object(key: str, given: dict[str, Any], document: dict[str, Any]) -> KnownObject:
    texts = [given["fields"], *(document["parts"][part] for part in given.get("parts", ())), document.get("common", "")]
    lists = {name: tuple(phrases(text)) for name, text in document.get("picklists", {}).items()}
    fields: dict[str, KnownField] = {}
    for line in (line for text in texts for line in text.splitlines()):
        known = _read_line(line, lists)
        fields.setdefault(known.column.name, known)
    by_words = {_squeezed(name): known for name, known in reversed(fields.items())}
    return KnownObject(key, given.get("label", key), given["kind"], fields, given.get("main_block", ""), by_words)


def _read_line(line: str, lists: dict[str, tuple[str, ...]]) -> KnownField:
    found = _LINE.fullmatch(line.strip())
    if found is None or found["type"] not in _KINDS:  # a blank inside the name: look further right
        found = _split_later(line.strip())
    if found is None:
        raise ValueError(f"not a field line: {line!r}")
    meanings = [] if found["means"] == "-" else found["means"].split(",")
    block, _, first = meanings[0].rpartition(".") if meanings else ("", "", "")
    kind = read_type(found["type"])
    return KnownField(
        Column(
            name=found["name"],
            label=found["label"] or _label(found["name"]),
            type=kind,
            picklist=lists.get(found["list"] or "", ()),
            required="!" in found["flags"],
            read_only="~" in found["flags"],
            primary_key=kind is FieldType.ID,
            external_id="external_id" in meanings,
            reference=found["to"] or "",
        ),
        (first, *meanings[1:]) if meanings else (),
        block,
    )


def _split_later(line: str) -> re.Match[str] | None:
    kinds = "|".join(sorted(_KINDS, key=len, reverse=True))
    return re.compile(_LINE.pattern.replace("(?P<type>[a-z]+)", f"(?P<type>{kinds})")).fullmatch(line)


def _label(name: str) -> str:
    bare = re.sub(r"(__[a-z]|_ids?)$", "", name)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", bare.replace("_", " ").replace(".", " ")).strip() or name
    return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Alias:
    """One way some system calls a meaning."""

    system: str
    kind: str
    concept: str
    block: str
    name: str
    label: str


@cache
def aliases(without: frozenset[str]) -> tuple[Alias, ...]:
    """How every described system calls its fields, except the systems named."""
    return tuple(
        Alias(system.name, known.kind, concept, one.block, one.column.name, one.column.label)
        for system in systems() if system.name not in without
        for known in {id(found): found for found in system.objects.values()}.values()
        for one in known.fields.values()
        for concept in one.concepts[:1]
    )  # fmt: skip
