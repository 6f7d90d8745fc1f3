"""Conversions of closed sets of values: value maps, picklists, multi-picklists and booleans."""

from collections.abc import Callable, Iterable
from typing import Any

from app.domain.issues import IssueCode, Noted, Verdict, chain, note
from app.domain.mapping import Unmapped, ValueMap
from app.domain.schema import FieldSpec
from app.domain.texts import text_of

_LONGEST = 2000


def folded(value: str) -> str:
    """The form in which choices compare: trimmed and case-folded."""
    return value.strip().casefold()


def map_value(table: ValueMap) -> Callable[[Any], Any]:
    """A function from source value to what the table says; lists are mapped item by item.

    A hit that needed trimming or case folding reports NORMALISED. What is not listed follows `unmapped`: hold the
    record, keep the value, take the default, or leave blank; each reports UNMAPPED_VALUE.
    """
    exact = dict(table.entries)
    loose = {folded(key): value for key, value in table.entries.items()}

    def one(value: Any) -> Any:
        text = text_of(value)
        if text in exact:
            return exact[text] or None
        found = loose.get(folded(text)) if len(text) <= _LONGEST else None
        if found is not None:
            return Noted(found or None, (IssueCode.NORMALISED,))
        if table.unmapped is Unmapped.HOLD:
            return Noted(None, (IssueCode.UNMAPPED_VALUE,), Verdict.HELD)
        kept = {Unmapped.KEEP: value, Unmapped.DEFAULT: table.default}.get(table.unmapped)
        return Noted(kept, (IssueCode.UNMAPPED_VALUE,))

    return lambda value: each(value, one) if value.__class__ is list else one(value)


def each(values: Iterable[Any], step: Callable[[Any], Any]) -> Any:
    """`step` over the items of a list: blanks drop out, doubles collapse, notes add up, the first stop wins."""
    kept: list[Any] = []
    codes: list[IssueCode] = []
    verdict: Verdict | None = None
    for value in values:
        made = step(value)
        if isinstance(made, Noted):
            codes.extend(made.codes)
            verdict = verdict or made.verdict
            made = made.value
        if made is not None and made not in kept:
            kept.append(made)
    if not codes:
        return kept or None
    return Noted(kept or None, tuple(dict.fromkeys(codes)), verdict)


def picklist_encoder(field: FieldSpec) -> Callable[[Any], Any]:
    """A function that takes an option as the destination spells it.

    An unlisted value is added by the platform and reported as VALUE_ADDED (Zoho fact sheet section 10), or holds the
    record when the list is restricted. A field whose options are unknown takes everything.
    """
    exact = {option.value for option in field.picklist if option.active}
    loose = {folded(option.value): option.value for option in reversed(field.picklist) if option.active}

    def encode(value: Any) -> Any:
        text = text_of(value)
        if text in exact:
            return text
        if field.length is not None and len(text) > field.length:
            return Noted(None, (IssueCode.TOO_LONG,), Verdict.QUARANTINED)
        if not exact:
            return text
        found = loose.get(folded(text)) if len(text) <= _LONGEST else None
        if found is not None:
            return Noted(found, (IssueCode.NORMALISED,))
        if field.restricted:
            return Noted(None, (IssueCode.UNMAPPED_VALUE,), Verdict.HELD)
        return Noted(text, (IssueCode.VALUE_ADDED,))

    return encode


def multipicklist_encoder(field: FieldSpec, multi: str) -> Callable[[Any], Any]:
    """Like `picklist_encoder` over a list; `multi` is "list" or the separator of a platform that stores one text."""
    option = picklist_encoder(field)

    def encode(value: Any) -> Any:
        made = each(value if isinstance(value, list) else [value], option)
        return made if multi == "list" else chain(made, joined)

    def joined(items: list[str]) -> Any:
        text = multi.join(items)
        return note(text, IssueCode.COLLAPSED) if any(multi in item for item in items) else text

    return encode


def split_values(separator: str) -> Callable[[Any], Any]:
    """A function from text (or list) to the list of its trimmed parts without blanks and doubles."""

    def convert(value: Any) -> Any:
        parts = value if isinstance(value, list) else text_of(value).split(separator)
        return list(dict.fromkeys(part for item in parts if (part := text_of(item).strip()))) or None

    return convert


def boolean_transform(truths: Iterable[str], falsehoods: Iterable[str]) -> Callable[[Any], Any]:
    """A function to True or False by word lists; anything else is a blank reported as NOT_A_BOOLEAN."""
    words = {folded(word): False for word in falsehoods} | {folded(word): True for word in truths}

    def convert(value: Any) -> Any:
        if isinstance(value, bool):
            return value
        text = text_of(value)
        found = words.get(folded(text)) if len(text) <= _LONGEST else None
        return Noted(None, (IssueCode.NOT_A_BOOLEAN,)) if found is None else found

    return convert


def encode_boolean(value: Any) -> Any:
    """A boolean as it is; canonical "true" and "false" as well; anything else is a blank, reported."""
    known = {"true": True, "false": False}.get(value, value) if value.__class__ is str else value
    return known if isinstance(known, bool) else Noted(None, (IssueCode.NOT_A_BOOLEAN,))
