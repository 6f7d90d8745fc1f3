"""Texts gathered from the records that refer to a record: further source fields of a load (see `mapping.Collect`)."""

from collections.abc import Iterable, Mapping, Sequence
from string import Formatter

from app.domain.mapping import Collect, Load, Take
from app.domain.schema import FieldSpec, FieldType, ObjectSpec, Record
from app.domain.texts import text_of

_LONGEST = 100_000


def with_collected(spec: ObjectSpec, load: Load) -> ObjectSpec:
    """The source object with the fields that the load gathers, as texts."""
    if not load.collect:
        return spec
    made = tuple(FieldSpec(name=one.field, label=one.field, type=FieldType.TEXTAREA) for one in load.collect)
    return spec.model_copy(update={"fields": (*spec.fields, *made)})


def collected_needs(load: Load) -> tuple[tuple[str, str], ...]:
    """(object, reference field) pairs that the load gathers from, each once."""
    return tuple(dict.fromkeys((one.object, one.via) for one in load.collect))


def add_collected(
    record: Record, load: Load, children: Mapping[tuple[str, str], Sequence[tuple[str, Record]]]
) -> Record:
    """A copy of `record` with the gathered fields. `children`: (object, reference field) → (id, record) of those that
    refer to it.
    """
    made = dict(record)
    for one in load.collect:
        found = children.get((one.object, one.via), ())
        text = gather_text(one, found) if found else record.get(one.otherwise) if one.otherwise else None
        if text:
            made[one.field] = text
    return made


def gather_text(spec: Collect, children: Iterable[tuple[str, Record]]) -> str | None:
    """The text of one `Collect`; None when none of the records has anything to say."""
    ordered = sorted(children, key=lambda child: (text_of(child[1].get(spec.order) or ""), child[0]))
    if spec.take is Take.FIRST:
        ordered = ordered[:1]
    elif spec.take is Take.REST:
        ordered = ordered[1:]
    lines = [line for _, record in ordered if (line := _written(spec.template, record))]
    shown = lines[: spec.most]
    if len(lines) > len(shown):
        shown.append(f"… and {len(lines) - len(shown)} more")
    return spec.separator.join(shown)[:_LONGEST] or None


def _written(template: str, record: Record) -> str:
    """The template's text; a blank takes the words before it along, so that no comma is left alone."""
    made = ""
    for text, name, _, _ in Formatter().parse(template):
        if name is None:
            made += text
            continue
        value = record.get(name)
        if value in (None, "", []):
            continue
        made += (text if made else text.lstrip(" ,;:-")) + " ".join(text_of(value).split())
    return made
