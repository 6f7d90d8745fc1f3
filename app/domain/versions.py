"""Several versions of one mapping as one document, so that a rollback can name whatever any of them wrote."""

from collections.abc import Mapping, Sequence

from app.domain.mapping import FieldRule, Load, MappingDocument

Place = tuple[str, str, str]
"""Source object, target object and part: by these the ledger knows what a load wrote, whatever its key was."""


def counterpart(document: MappingDocument, load: Load) -> Load | None:
    """The load by which a version wrote the same records; None where it wrote none of them."""
    return next((one for one in document.loads if one.enabled and _place(one) == _place(load)), None)


def combined(documents: Sequence[MappingDocument]) -> MappingDocument:
    """The first document, and behind its loads those that wrote by one of the others to places of their own.

    These get a key of their own where theirs is taken. The documents are in load order already (`with_deferred_links`),
    and so is what comes out: no load of the first refers to one that was added.
    """
    first, *others = documents
    loads, value_maps = list(first.loads), dict(first.value_maps)
    for document in others:
        taken = {one.key for one in loads}
        written = {_place(one): one.key for one in (*reversed(loads), *(one for one in loads if one.enabled))}
        open_places = {_place(one) for one in loads if one.enabled}
        lost = [one for one in document.loads if _place(one) not in (open_places if one.enabled else written)]
        if not any(one.enabled for one in lost):
            continue
        fresh = {one.key: _free(one.key, taken) for one in lost}
        keys = {one.key: fresh.get(one.key) or written[_place(one)] for one in document.loads}
        loads += [_renamed(one, keys) for one in lost]
        value_maps = {**document.value_maps, **value_maps}
    return first.model_copy(update={"loads": tuple(loads), "value_maps": value_maps})


def _place(load: Load) -> Place:
    return load.source_object, load.target_object, load.part


def _free(key: str, taken: set[str]) -> str:
    number, found = 1, key
    while found in taken:
        found, number = f"{key}~{number}", number + 1
    taken.add(found)
    return found


def _renamed(load: Load, keys: Mapping[str, str]) -> Load:
    fields = tuple(_looking_up(rule, keys) for rule in load.fields)
    return load.model_copy(update={"key": keys[load.key], "base": keys.get(load.base, load.base), "fields": fields})


def _looking_up(rule: FieldRule, keys: Mapping[str, str]) -> FieldRule:
    if rule.lookup is None:
        return rule
    loads = tuple(keys.get(one, one) for one in rule.lookup.loads)
    return rule.model_copy(update={"lookup": rule.lookup.model_copy(update={"loads": loads})})
