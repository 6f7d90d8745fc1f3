"""What an export holds, as data: files, fields, keys and references of one platform."""

import re
from dataclasses import dataclass

from app.domain.schema import FieldType
from connectors.table_shape import clean_heading


@dataclass(frozen=True)
class TableField:
    """One column of an export.

    `name` is the canonical field name and `headings` are other spellings of the heading, compared folded.
    `references` is the object that it points to: its id, or what `match_on` names. `match_on` lists fields of the
    referenced object by which a NAME resolves, tried in order: "email,name", or "first_name+last_name" for a name in
    two fields. `separator` splits several values in one cell. `sensitive` marks health data and national ids, `never`
    what is not to be read at all (passwords). `phone_region` is the country of numbers without a country code and
    `options` are choices known beforehand.
    """

    name: str
    label: str = ""
    type: FieldType = FieldType.TEXT
    headings: tuple[str, ...] = ()
    references: str = ""
    match_on: str = ""
    separator: str = ""
    sensitive: bool = False
    never: bool = False
    phone_region: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableObject:
    """One table of an export.

    `key` are the fields that identify a row: one holds the id itself, several are joined into the field `id`, and
    `or_key` stands in for files that lack a column of `key`. `files` are other stems of the file's name. A child
    table comes as a file of its own, or as the list `path` inside the rows of `parent`; its first field that
    references the parent then holds the parent's key.
    """

    name: str
    label: str
    fields: tuple[TableField, ...]
    key: tuple[str, ...] = ("id",)
    files: tuple[str, ...] = ()
    parent: str = ""
    path: str = ""
    required: bool = True
    or_key: tuple[str, ...] = ()

    def field(self, name: str) -> TableField | None:
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True)
class Catalogue:
    """One platform's export. `users` is the object that holds users: id, name, email and active are its fields."""

    platform: str
    objects: tuple[TableObject, ...]
    users: str = ""

    def object(self, name: str) -> TableObject | None:
        return next((one for one in self.objects if one.name == name), None)

    def exactly(self, stem: str) -> TableObject | None:
        """The object of a file that is called as one, with or without a date, a time or a counter in its name."""
        found = self._named({fold(stem)}) or self._named({fold(_undated(stem))})
        return found[0][1] if found else None

    def loosely(self, stem: str) -> TableObject | None:
        """The object whose name begins or ends the name of a file: "Patients-Export-North" are patients."""
        found = self._named(_ends(_words(_undated(stem))))
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def nested(self, parent: str, path: str) -> TableObject | None:
        """The object of the lists `path` inside the rows of `parent`."""
        here = (one for one in self.objects if one.parent == parent and one.path)
        return next((one for one in here if fold(one.path) == fold(path)), None)

    def _named(self, names: set[str]) -> list[tuple[int, TableObject]]:
        given = ((fold(text), one) for one in self.objects for text in (one.name, one.label, *one.files))
        return [(len(name), one) for name, one in given if name in names]


def fold(text: str) -> str:
    """What makes two headings the same: letters and digits, whatever their case."""
    return re.sub(r"[\W_]+", "", clean_heading(text).casefold())


def _undated(stem: str) -> str:
    """Without dates, times, counters and copies such as "(2)" at either end."""
    bare = re.sub(r"\(\d+\)", " ", stem)
    return re.sub(r"(^|[\W_]|(?<=[A-Za-z]))\d[\d\-_.:T ]*(?=$|[\W_]|[A-Za-z])", r"\1", bare)


def _words(stem: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", stem)
    return [word.casefold() for word in re.split(r"[\W_]+", spaced) if word]


def _ends(words: list[str]) -> set[str]:
    heads = {"".join(words[:end]) for end in range(1, len(words))}
    return heads | {"".join(words[start:]) for start in range(1, len(words))}
