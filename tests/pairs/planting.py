"""Faults for planting: documents with rules taken out or loads switched off."""

from app.domain.mapping import FieldRule, Load, MappingDocument


def without(document: MappingDocument, load_key: str, target: str) -> MappingDocument:
    """The document with one rule less."""

    def cut(load: Load) -> Load:
        if load.key != load_key:
            return load
        kept: tuple[FieldRule, ...] = tuple(rule for rule in load.fields if rule.target != target)
        assert len(kept) == len(load.fields) - 1, target
        return load.model_copy(update={"fields": kept})

    return document.model_copy(update={"loads": tuple(cut(load) for load in document.loads)})


def switched_off(document: MappingDocument, load_key: str) -> MappingDocument:
    loads = (one.model_copy(update={"enabled": one.enabled and one.key != load_key}) for one in document.loads)
    return document.model_copy(update={"loads": tuple(loads)})


def switched_on(document: MappingDocument, *keys: str) -> MappingDocument:
    """The document with optional loads as a person switches them on."""
    assert set(keys) <= {one.key for one in document.loads}
    loads = (one.model_copy(update={"enabled": one.enabled or one.key in keys}) for one in document.loads)
    return document.model_copy(update={"loads": tuple(loads)})
