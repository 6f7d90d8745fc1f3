"""Faults for planting: documents with rules taken out or loads switched off."""

from collections.abc import Mapping

from app.domain.mapping import FieldRule, Load, MappingDocument

Planted = Mapping[str, tuple[str, str, str]]
"""For each row of a pair's page a rule: load, target, and the label under which the vendor shows the field."""


def without(document: MappingDocument, load_key: str, target: str) -> MappingDocument:
    """The document with one rule less."""

    def cut(load: Load) -> Load:
        if load.key != load_key:
            return load
        kept: tuple[FieldRule, ...] = tuple(rule for rule in load.fields if rule.target != target)
        assert len(kept) == len(load.fields) - 1, target
        return load.model_copy(update={"fields": kept})

    return document.model_copy(update={"loads": tuple(cut(load) for load in document.loads)})


def lacking(document: MappingDocument, planted: Planted) -> MappingDocument:
    """The document without the rules that `planted` names."""
    for load_key, target, _ in planted.values():
        document = without(document, load_key, target)
    return document


def switched_off(document: MappingDocument, load_key: str) -> MappingDocument:
    loads = (one.model_copy(update={"enabled": one.enabled and one.key != load_key}) for one in document.loads)
    return document.model_copy(update={"loads": tuple(loads)})


def switched_on(document: MappingDocument, *keys: str) -> MappingDocument:
    """The document with optional loads as a person switches them on."""
    assert set(keys) <= {one.key for one in document.loads}
    loads = (one.model_copy(update={"enabled": one.enabled or one.key in keys}) for one in document.loads)
    return document.model_copy(update={"loads": tuple(loads)})
