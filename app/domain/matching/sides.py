"""One object's fields made ready for comparison: words, meanings, address blocks, value shapes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.matching.columns import Column, Table, with_guessed_type
from app.domain.matching.concepts import meanings
from app.domain.matching.languages import Language, detect, to_english
from app.domain.matching.names import spell_out, split
from app.domain.matching.systems import KnownField, KnownObject

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


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a schema's names: the languages of its labels and of its API names."""

    labels: Language | None = None
    names: Language | None = None


def reading_of(tables: Sequence[Table]) -> Reading:
    """The languages a schema's labels and names are in."""
    columns = [one for table in tables[:60] for one in table.columns[:60]]
    return Reading(detect([one.shown for one in columns]), detect([one.name for one in columns]))


def own_words_of(table: Table, kind: str) -> frozenset[str]:
    """Words that name the object: its name and label in singular, and its kind."""
    own = {*split(table.name), *split(table.label), kind}
    own |= {*spell_out(split(table.name)), *spell_out(split(table.label))}
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
    own = own_words_of(table, kind)
    items = [_item(with_guessed_type(column), kind, reading, known, near, own) for column in table.columns]
    blocks = tuple(dict.fromkeys(item.block for item in items if item.block))
    vocabulary = frozenset(word for item in items for word in (*item.label, *item.name))
    main = known.main_block if known and known.main_block in blocks else _main_block(blocks, kind)
    return Side(table, kind, items, own, main, blocks, vocabulary)


def _item(
    column: Column, kind: str, reading: Reading, known: KnownObject | None, near: frozenset[str], own: frozenset[str]
) -> Item:
    label = spell_out(to_english(column.shown, reading.labels), near)
    name = spell_out(to_english(column.name, reading.names), near)
    given = known.fields.get(column.name) if known else None
    if given is not None and given.concepts:
        weights = {concept: 1.0 - 0.05 * place for place, concept in enumerate(given.concepts)}
        return Item(column, label, name, weights, given.block, given)
    if given is not None:
        return Item(column, label, name, {}, "", given)
    found, block = meanings((label, name), kind, own)
    return Item(column, label, name, found, block)


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
    for block, others in (("other", ("shipping",)), ("shipping", ("other",)), ("home", ("other", "mailing"))):
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
