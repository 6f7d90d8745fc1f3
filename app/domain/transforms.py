"""The table of transforms: named pure functions from canonical source values to a canonical value.

A prepared transform takes one value (or, for several sources, the list of them with None for blanks) and returns the
new value, None for a blank, or a `Noted` when the value changed in a way that people should see.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from string import Formatter
from types import MappingProxyType
from typing import Any

from pydantic import JsonValue

from app.domain import arguments as a
from app.domain.choices import boolean_transform, split_values
from app.domain.issues import chain
from app.domain.moments import date_transform, datetime_transform, duration_transform, zone_of
from app.domain.numerals import divided, read_number, scaled
from app.domain.schema import FieldSpec, FieldType
from app.domain.texts import (
    changed,
    email,
    html_to_text,
    name_parts,
    phone,
    strip,
    text_block,
    text_of,
    truncate,
    url,
)

Step = Callable[[Any], Any]

TEXTS = frozenset(
    {FieldType.TEXT, FieldType.TEXTAREA, FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.PICKLIST}
)
NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.PERCENT})
ANY = frozenset(FieldType) - {FieldType.FILE, FieldType.COMPOUND}
READABLE = TEXTS | {FieldType.AUTONUMBER, FieldType.MULTIPICKLIST}
_PROSE = frozenset({FieldType.TEXT, FieldType.TEXTAREA})
_WORDS = TEXTS | {FieldType.MULTIPICKLIST}

FITS: Mapping[FieldType, frozenset[FieldType]] = MappingProxyType(
    dict.fromkeys(READABLE, _WORDS)
    | dict.fromkeys(NUMBERS, NUMBERS | TEXTS)
    | {kind: TEXTS | {kind} for kind in (FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME, FieldType.TIME)}
    | dict.fromkeys((FieldType.ID, FieldType.LOOKUP, FieldType.USER), _PROSE)
    | dict.fromkeys((FieldType.FILE, FieldType.COMPOUND), frozenset[FieldType]())
)
"""Which target types take a canonical value of a type without being converted first."""


class Arity(StrEnum):
    """How many sources a transform reads."""

    NONE = "none"
    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Fitting:
    """What a transform is prepared for: the paths it reads, the field it fills, and where the record comes from."""

    sources: tuple[str, ...]
    target: FieldSpec
    platform: str = ""
    source_object: str = ""


@dataclass(frozen=True, slots=True)
class Transform:
    """One entry of the table. `result` is the type of what comes out, None for the type that went in.

    `lossy` says that information can be lost even when every single result is right; each loss is also reported per
    record.
    """

    name: str
    description: str
    prepare: Callable[[Any, Fitting], Step]
    accepts: frozenset[FieldType] = ANY
    result: FieldType | None = None
    args: type[a.Args] = a.Args
    arity: Arity = Arity.ONE
    lossy: bool = False

    def targets(self, source: FieldType | None) -> frozenset[FieldType]:
        """The target types that take the result when the source is of type `source` (None: unknown)."""
        kind = self.result or source
        return frozenset(FieldType) if kind is None else FITS[kind]

    def describe(self) -> dict[str, JsonValue]:
        """The entry as JSON, with the schema of its arguments, for editors."""
        target_types = {kind for source in self.accepts for kind in self.targets(source)}
        return {
            "name": self.name,
            "description": self.description,
            "accepts": [str(kind) for kind in sorted(self.accepts)],
            "targets": [str(kind) for kind in sorted(target_types)],
            "arity": self.arity,
            "lossy": self.lossy,
            "args": self.args.model_json_schema(),
        }


def needed(args: a.Args, sources: tuple[str, ...]) -> tuple[str, ...]:
    """The source paths a rule reads: its own, or those its template or block names when it lists none."""
    if sources:
        return sources
    if isinstance(args, a.TemplateArgs):
        return a.placeholders(args.template)
    if isinstance(args, a.BlockArgs):
        return tuple(dict.fromkeys(path for path in (args.body, *args.facts.values()) if path))
    return ()


def named(args: a.Args) -> tuple[str, ...]:
    """The source paths that arguments mention; all must be among the rule's sources."""
    return needed(args, ())


def _kept(_: a.Args, __: Fitting) -> Step:
    return lambda value: value


def _simple(step: Step) -> Callable[[a.Args, Fitting], Step]:
    return lambda _args, _fitting: step


def _joined(args: Any, _: Fitting) -> Step:
    separator: str = args.separator

    def convert(values: list[Any]) -> Any:
        return separator.join([text_of(value) for value in values if value not in _BLANKS]) or None

    return convert


def blank(value: Any) -> bool:
    """Whether a canonical value is a blank; False and "0" are values."""
    return value in _BLANKS


_BLANKS: tuple[Any, ...] = (None, "", [])


def _first(values: list[Any]) -> Any:
    for value in values:
        if value not in _BLANKS:
            return value
    return None


def _template(args: a.TemplateArgs, fitting: Fitting) -> Step:
    places = {path: index for index, path in enumerate(fitting.sources)}
    pieces = [(text, places[name] if name else None) for text, name, _, _ in Formatter().parse(args.template)]
    edge = " \t-–—,;:|/·"

    def convert(values: list[Any]) -> Any:
        texts = ["" if value in _BLANKS else text_of(value) for value in values]
        if not any(texts) and all(map(blank, values)):
            return None
        made = "".join([text if place is None else text + texts[place] for text, place in pieces])
        return (made.strip(edge) if args.tidy and "" in texts else made) or None

    return convert


def _block(args: a.BlockArgs, fitting: Fitting) -> Step:
    if args.labels and len(args.labels) != len(fitting.sources):
        raise ValueError(f"{len(args.labels)} labels for {len(fitting.sources)} sources")
    path_of = dict(zip(args.labels, fitting.sources, strict=True)) if args.labels else {"": args.body, **args.facts}
    first = {path: index for index, path in reversed(tuple(enumerate(fitting.sources)))}
    # With labels the position counts, so that one source can stand under two of them.
    places = {
        label: args.labels.index(label) if args.labels else first[path] for label, path in path_of.items() if path
    }

    def convert(values: list[Any]) -> Any:
        texts = ["" if blank(value) else text_of(value) for value in values]
        facts = {label: texts[place] for label, place in places.items() if label}
        body = texts[places[""]] if "" in places else ""
        return text_block(body, args.title, facts, fitting.target.length)

    return convert


def _number(args: a.NumberArgs, _: Fitting) -> Step:
    return lambda value: read_number(value, args.locale, args.symbols)


def _integer(args: a.NumberArgs, fitting: Fitting) -> Step:
    read = _number(args, fitting)
    return lambda value: chain(read(value), lambda number: divided(number, Decimal(1), 0))


def _percent(args: a.PercentArgs, fitting: Fitting) -> Step:
    read = _number(args, fitting)
    if not args.fraction:
        return lambda value: read(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return lambda value: chain(read(value), lambda number: scaled(number, Decimal(100)))


def _external(args: a.ExternalIdArgs, fitting: Fitting) -> Step:
    start = f"{fitting.platform}:{args.object or fitting.source_object}:"
    end = f":{args.part}" if args.part else ""
    return lambda value: f"{start}{text_of(value)}{end}"


def _email(args: a.EmailArgs, _: Fitting) -> Step:
    return lambda value: email(value, args.invalid)


def _url(args: a.EmailArgs, _: Fitting) -> Step:
    return lambda value: url(value, args.invalid)


def _phone(args: a.PhoneArgs, _: Fitting) -> Step:
    return lambda value: phone(text_of(value), args.region, args.format)


def _duration(args: a.DurationArgs, fitting: Fitting) -> Step:
    if args.to in {"clock", "text"} and fitting.target.type in NUMBERS:
        raise ValueError(f"a {args.to} is no number")
    return duration_transform(args.unit, args.to, args.places)


def _entries() -> Iterable[Transform]:
    yield from _text_entries()
    yield from _many_entries()
    yield from _typed_entries()


def _text_entries() -> Iterable[Transform]:
    text = FieldType.TEXT
    yield Transform("copy", "The value as it is.", _kept)
    yield Transform("text", "Any value as text, characters untouched.", _simple(text_of), result=text)
    yield Transform("strip", "Without blanks at both ends.", _simple(strip), READABLE, text)
    yield Transform(
        "upper",
        "In capitals.",
        _simple(lambda v: changed(text := text_of(v), text.upper())),
        READABLE,
        text,
        lossy=True,
    )
    yield Transform(
        "lower",
        "In small letters.",
        _simple(lambda v: changed(text := text_of(v), text.lower())),
        READABLE,
        text,
        lossy=True,
    )
    yield Transform(
        "truncate",
        "Cut to `length` characters, reported.",
        lambda args, _: lambda value: truncate(value, args.length),
        READABLE,
        text,
        a.LengthArgs,
        lossy=True,
    )
    yield Transform(
        "html_to_text", "Text of HTML with lines, lists and links.", _simple(html_to_text), READABLE, text, lossy=True
    )
    yield Transform(
        "prefix", "`text` before it.", lambda args, _: lambda v: args.text + text_of(v), ANY, text, a.AffixArgs
    )
    yield Transform(
        "suffix", "`text` after it.", lambda args, _: lambda v: text_of(v) + args.text, ANY, text, a.AffixArgs
    )
    yield Transform(
        "first_name",
        "Given names of a full name.",
        _simple(lambda v: name_parts(v)[0] or None),
        READABLE,
        text,
        lossy=True,
    )
    yield Transform(
        "last_name",
        "Family name of a full name.",
        _simple(lambda v: name_parts(v)[1] or None),
        READABLE,
        text,
        lossy=True,
    )
    yield Transform("external_id", "platform:object:id[:part] of a source id.", _external, ANY, text, a.ExternalIdArgs)


def _many_entries() -> Iterable[Transform]:
    text = FieldType.TEXT
    many = Arity.MANY
    yield Transform("join", "Filled values with a separator.", _joined, ANY, text, a.SeparatorArgs, many)
    yield Transform("concat", "Filled values one after the other.", _joined, ANY, text, a.NoneArgs, many)
    yield Transform("full_name", "Name parts with blanks between.", _joined, READABLE, text, a.BlankArgs, many)
    yield Transform("address", "Address parts, one a line.", _joined, READABLE, text, a.LinesArgs, many)
    yield Transform("template", "A text with {Field} placeholders.", _template, ANY, text, a.TemplateArgs, many)
    yield Transform(
        "text_block", "A text and a block of facts that can be read back.", _block, ANY, text, a.BlockArgs, many
    )
    yield Transform("first_of", "The first filled value.", _simple(_first), ANY, None, a.Args, many, lossy=True)
    yield Transform(
        "const", "A fixed value.", lambda args, _: lambda _value: args.value, ANY, None, a.ConstArgs, Arity.NONE
    )


def _typed_entries() -> Iterable[Transform]:
    kinds = FieldType
    readable = READABLE | NUMBERS
    yield Transform(
        "email", "An address, trimmed and in small letters.", _email, READABLE, kinds.EMAIL, a.EmailArgs, lossy=True
    )
    yield Transform(
        "phone", "A number in one format; kept when it is none.", _phone, READABLE, kinds.PHONE, a.PhoneArgs
    )
    yield Transform(
        "url",
        "A web address with scheme.",
        _url,
        READABLE,
        kinds.URL,
        a.EmailArgs,
        lossy=True,
    )
    yield Transform("number", "A decimal number.", _number, readable, kinds.DECIMAL, a.NumberArgs, lossy=True)
    yield Transform("integer", "A whole number.", _integer, readable, kinds.INTEGER, a.NumberArgs, lossy=True)
    yield Transform("currency", "An amount, exact.", _number, readable, kinds.CURRENCY, a.CurrencyArgs, lossy=True)
    yield Transform(
        "percent", "Per cent, 12.5 for an eighth.", _percent, readable, kinds.PERCENT, a.PercentArgs, lossy=True
    )
    yield Transform(
        "boolean",
        "True or false by word lists.",
        lambda args, _: boolean_transform(args.truths, args.falsehoods),
        readable | {kinds.BOOLEAN},
        kinds.BOOLEAN,
        a.BooleanArgs,
        lossy=True,
    )
    yield Transform(
        "date",
        "The day, in a zone.",
        lambda args, _: date_transform(zone_of(args.zone), args.formats, args.sentinels),
        READABLE | {kinds.DATE, kinds.DATETIME},
        kinds.DATE,
        a.DateArgs,
        lossy=True,
    )
    yield Transform(
        "datetime",
        "The moment; a date becomes a time of that day in a zone.",
        lambda args, _: datetime_transform(zone_of(args.zone), args.at, args.sentinels),
        READABLE | {kinds.DATE, kinds.DATETIME},
        kinds.DATETIME,
        a.DatetimeArgs,
        lossy=True,
    )
    yield Transform("picklist", "One choice, trimmed.", _simple(strip), ANY, kinds.PICKLIST, a.PicklistArgs)
    yield Transform(
        "multipicklist",
        "Several choices; a text is split at the separator.",
        lambda args, _: split_values(args.separator),
        READABLE,
        kinds.MULTIPICKLIST,
        a.ListArgs,
    )
    yield Transform(
        "duration",
        "A length of time in another unit, as clock or as words.",
        _duration,
        readable,
        kinds.DECIMAL,
        a.DurationArgs,
        lossy=True,
    )


TRANSFORMS: Mapping[str, Transform] = MappingProxyType({entry.name: entry for entry in _entries()})
