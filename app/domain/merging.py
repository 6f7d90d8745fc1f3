"""Three-way merge of one record's fields: what we last wrote, what the source says now, what the destination holds now.

A field changed on one side only follows that side; one that both sides changed to different values is a conflict and
stays as it is until a person has decided.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.provisioning import is_steering
from app.domain.schema import FieldSpec, FieldType
from app.domain.values import CanonicalValue, canonical


class Side(StrEnum):
    """Whose value a person chose for a field in conflict."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(slots=True)
class Merged:
    """Names of fields: `send` are written, `kept` hold a value of people there, `conflicts` wait for a person."""

    send: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def merge_fields(
    meant: Mapping[str, Any],
    wrote: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    specs: Mapping[str, FieldSpec],
    *,
    certain: bool,
    chosen: Mapping[str, Side],
    together: Iterable[Collection[str]] = (),
) -> Merged:
    """What becomes of each field of `meant`.

    `wrote` is what the source's former state comes to, None when nobody knows; `certain` says that it is proved to be
    what we last wrote. Without proof a filled field that holds neither value is a conflict, since it may be a person's
    work. `now` is the destination's JSON; fields that `specs` does not list cannot be read and are sent when they
    changed. `chosen` holds what people decided about earlier conflicts, by field. Fields that belong `together` are
    sent as a whole; where people changed one of them, what the source changed in the others is a conflict as well.
    """
    merged = Merged()
    for name in (one for one in meant if not is_steering(one)):
        spec = specs.get(name)
        plain = spec or FieldSpec(name=name)
        ours = _value(meant.get(name), plain)
        before = None if wrote is None else _value(wrote.get(name), plain)
        changed = wrote is None or ours != before
        if spec is None:
            if changed or not certain:
                merged.send.append(name)
            continue
        there = _value(now.get(name), spec)
        if there == ours:
            continue
        verdict = _verdict(ours_changed=changed, there=there, before=before, known=wrote is not None, certain=certain)
        if verdict != _SEND and name in chosen:
            verdict = _SEND if chosen[name] is Side.SOURCE else _KEEP
        getattr(merged, verdict).append(name)
    for group in together:
        _as_a_whole(merged, [name for name in meant if name in group], chosen)
    if merged.send:
        merged.send += [name for name in meant if is_steering(name)]
    return merged


def _as_a_whole(merged: Merged, group: Sequence[str], chosen: Mapping[str, Side]) -> None:
    sent = [name for name in group if name in merged.send]
    if not sent:
        return
    touched = [name for name in group if name in (*merged.kept, *merged.conflicts)]
    if touched and not any(name in chosen for name in group):
        merged.send = [name for name in merged.send if name not in group]
        merged.conflicts += sent
    else:
        merged.kept = [name for name in merged.kept if name not in group]
        merged.conflicts = [name for name in merged.conflicts if name not in group]
        merged.send += [name for name in group if name not in merged.send]


_SEND, _KEEP, _CONFLICT = "send", "kept", "conflicts"


def _verdict(*, ours_changed: bool, there: CanonicalValue, before: CanonicalValue, known: bool, certain: bool) -> str:
    """Where the destination holds another value than the one that is meant now."""
    if known and there == before:  # nobody touched it since: only the source can have changed
        return _SEND
    if certain:
        return _CONFLICT if ours_changed else _KEEP
    return _SEND if there is None else _CONFLICT


def _value(value: Any, spec: FieldSpec) -> CanonicalValue:
    """Canonical; a checkbox that nobody set reads False."""
    found = canonical(value, spec)
    return False if found is None and spec.type is FieldType.BOOLEAN else found
