"""What a load reads beside its own record: which objects, and whether all of them before its first decision. Pure.

Most loads ask nothing of their object as a whole, so they may follow its extraction page by page.
"""

from collections.abc import Iterable, Mapping

from app.domain.mapping import DedupeMode, Load, LoadMode
from app.domain.ordering import own_parents


def source_objects(loads: Iterable[Load], references: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Source objects that have to be read: those of the loads and those that dotted sources lead to."""
    names: dict[str, None] = {}
    for load in loads:
        names[load.source_object] = None
        names.update(dict.fromkeys(followed_objects(load, references)))
    return tuple(names)


def followed_objects(load: Load, references: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Objects that dotted sources and conditions lead to, and those that texts are gathered from."""
    named = [*(source for rule in load.fields for source in rule.sources), *(one.field for one in load.when)]
    paths = {path.partition(".")[0] for path in named if "." in path}
    followed = [name for path in sorted(paths) for name in references.get(f"{load.source_object}.{path}", ())]
    return tuple(dict.fromkeys((*followed, *(one.object for one in load.collect))))


def follows(load: Load, loads: Iterable[Load]) -> bool:
    """Whether a load may write records of its object while others of it are still being read: nothing that it decides
    about one asks for them all.
    """
    alone = load.mode is LoadMode.CREATE and not load.collect and not own_parents(load)
    return alone and load.source_object not in compared_objects(load, loads)


def compared_objects(load: Load, loads: Iterable[Load]) -> tuple[str, ...]:
    """Objects whose records are compared with each other before the first one of a load is decided: to find those that
    become one, wherever a lookup may lead to them, and those that share a value which has to differ.
    """
    names: dict[str, None] = {}
    for other in loads:
        merges = other.mode is LoadMode.CREATE and other.dedupe.mode is DedupeMode.MERGE
        if merges or (load.unique and other.unique and other.target_object == load.target_object):
            names[other.source_object] = None
    return tuple(names)
