"""How a schema is to be read: the languages of its labels and names, and which columns are other tables' keys."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.matching.columns import Column, Table
from app.domain.matching.languages import Language, detect, to_english
from app.domain.matching.names import fold, spell_out, split
from app.domain.matching.prefixes import shared_prefix, without_prefix

MANY = 60
_FEW = 4
_NUMBERING = frozenset({"id", "number", "code", "key"})
_BARE = frozenset({*_NUMBERING, "name", "title", "type", "status", "date", "record", "external"})


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a schema's names: the languages of its labels and of its API names, and for names of key columns
    the table they number. Tables of another language than the rest are in `others`."""

    labels: Language | None = None
    names: Language | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[Language | None, Language | None]] = field(default_factory=dict)
    platform: str = ""

    def of(self, table: Table) -> "Reading":
        """The reading for one table."""
        found = self.others.get(table.name)
        return replace(self, labels=found[0], names=found[1], others={}) if found else self

    def referring(self, column: Column, table: Table) -> Column:
        """The column, its reference filled in where it is called like the key of another table."""
        there = self.keys.get(fold(without_prefix(column.name, prefix_of(table))[:MANY]))
        if there is None or there == table.name or column.reference or column.primary_key:
            return column
        return replace(column, reference=there)


PLAIN = Reading()


def prefix_of(table: Table) -> str:
    """What all columns of the table begin with."""
    return shared_prefix([one.name for one in table.columns])


def without(word: str, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The words without the platform's own name, which says nothing ("jobberWebUri"), unless it is all there is."""
    return tuple(one for one in tokens if one != word) or tokens


def reading_of(tables: Sequence[Table], platform: str = "") -> Reading:
    """The languages a schema's labels and names are in, and its keys."""
    columns = [one for table in tables[:MANY] for one in _bare(table)]
    labels, names = _both(columns)
    others = {}
    for table in tables[:MANY] if len(tables) > 1 else ():
        mine = _bare(table)
        if len(mine) >= _FEW:
            own = _both(mine, labels, names)
            if own != (labels, names):
                others[table.name] = own
    return Reading(labels, names, _keys(tables, names), others, fold(platform[:MANY]))


def _bare(table: Table) -> list[Column]:
    """The first columns, called and shown without the prefix of their table."""
    prefix = prefix_of(table)
    columns = table.columns[:MANY]
    if not prefix:
        return list(columns)
    return [
        replace(one, name=without_prefix(one.name, prefix), label=without_prefix(one.label, prefix)) for one in columns
    ]


def _both(
    columns: Sequence[Column], labels: Language | None = None, names: Language | None = None
) -> tuple[Language | None, Language | None]:
    """The languages of labels and names."""
    shown, called = [one.shown for one in columns], [one.name for one in columns]
    found = detect(shown, likely=labels)
    return found, found if shown == called else detect(called, likely=names)


def _keys(tables: Sequence[Table], names: Language | None) -> dict[str, str]:
    """Folded key name → table, of keys that say what they number ("KD_NR", not "id")."""
    found = [(fold(name[:MANY]), table.name) for table in tables if (name := _key_of(table, names))]
    times = Counter(name for name, _ in found)
    return {name: table for name, table in found if times[name] == 1}


def _key_of(table: Table, names: Language | None) -> str:
    marked = next((one for one in table.columns if one.primary_key), None)
    first = marked or (table.columns[0] if table.columns else None)
    if first is None or first.reference:
        return ""
    name = without_prefix(first.name, prefix_of(table))
    words = spell_out(to_english(name, names))
    numbering = bool({*words, *split(name)} & _NUMBERING)
    return name if (marked or numbering) and {*words} - _BARE else ""
