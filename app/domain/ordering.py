"""Which load comes before which: lookups as a graph, cycles, and the lookups that are set afterwards.

A lookup that may stay blank can be set later, so it never blocks the order; a cycle of lookups that must resolve
cannot be loaded at all and is refused by naming the edge. A load that must find records of its own is no such cycle:
its records come level by level (see `depth`), and only a ring among them has no first.
"""

from collections.abc import Iterable, Mapping, Sequence

from app.domain.mapping import Load, LoadMode, MappingDocument, Missing
from app.domain.schema import Frozen


class PlanImpossible(ValueError):
    """No order exists; `edge` is (load key, target field, load key it needs)."""

    def __init__(self, edge: tuple[str, str, str], cycle: Sequence[str]) -> None:
        way = " → ".join((*cycle, cycle[0]))
        super().__init__(
            f"{edge[0]}.{edge[1]} requires a record of {edge[2]}, which in turn requires {edge[0]} ({way}). "
            "Let one of these lookups stay blank at first."
        )
        self.edge = edge
        self.cycle = tuple(cycle)


class Edge(Frozen):
    """A lookup between two loads: `load`.`target` refers to records of `needs`."""

    load: str
    target: str
    needs: str
    required: bool = False


def lookup_edges(loads: Iterable[Load]) -> tuple[Edge, ...]:
    """Every lookup among the given loads; lookups to loads that are not given are left out."""
    known = {load.key: load for load in loads}
    return tuple(
        Edge(
            load=load.key,
            target=rule.target,
            needs=needed,
            required=rule.required or rule.lookup.on_missing is Missing.HOLD,
        )
        for load in known.values()
        for rule in load.fields
        if rule.lookup is not None
        for needed in rule.lookup.loads
        if needed in known
    )


def own_parents(load: Load) -> tuple[str, ...]:
    """Fields of a load that must find a record of the same load where they are filled."""
    edges = lookup_edges([load])
    return tuple(edge.target for edge in edges if edge.required)


def required_cycle(loads: Sequence[Load]) -> tuple[Edge, tuple[str, ...]] | None:
    """A cycle made of lookups that must resolve, as its closing edge and the load keys on it; None if there is none.

    Lookups of a load among its own records are left out.
    """
    strict = [edge for edge in lookup_edges(loads) if edge.required and edge.needs != edge.load]
    following: dict[str, list[Edge]] = {}
    for edge in strict:
        following.setdefault(edge.load, []).append(edge)
    done: set[str] = set()
    for start in following:
        found = _walk(start, following, done)
        if found is not None:
            return found
    return None


def _walk(start: str, following: Mapping[str, list[Edge]], done: set[str]) -> tuple[Edge, tuple[str, ...]] | None:
    """Depth first without recursion: mappings of any length must not exhaust the stack."""
    path: list[str] = [start]
    pending = [iter(following.get(start, ()))]
    while pending:
        edge = next(pending[-1], None)
        if edge is None:
            done.add(path.pop())
            pending.pop()
        elif edge.needs in path:
            return edge, tuple(path[path.index(edge.needs) :])
        elif edge.needs not in done:
            path.append(edge.needs)
            pending.append(iter(following.get(edge.needs, ())))
    return None


def load_order(loads: Sequence[Load]) -> tuple[tuple[Load, ...], tuple[Edge, ...]]:
    """Loads ordered so that lookups find their records, and the edges that have to be set afterwards.

    Required lookups decide; then the phases keep the document's order, and inside a phase lookups that may stay blank
    are served where possible. What still points forwards, self-references that may stay blank too, is deferred.
    Raises PlanImpossible for a cycle of required lookups.
    """
    found = required_cycle(loads)
    if found is not None:
        edge, cycle = found
        raise PlanImpossible((edge.load, edge.target, edge.needs), cycle)
    edges = lookup_edges(loads)
    if not _late(loads, edges):
        return tuple(loads), ()
    phases = {phase: number for number, phase in enumerate(dict.fromkeys(load.phase for load in loads))}
    waiting = {load.key: load for load in loads}
    strict = {key: {edge.needs for edge in edges if edge.load == key and edge.required} - {key} for key in waiting}
    loose = {key: {edge.needs for edge in edges if edge.load == key} - {key} for key in waiting}
    ordered: list[Load] = []
    while waiting:
        ready = [load for key, load in waiting.items() if not (strict[key] & waiting.keys())]
        first = min(phases[load.phase] for load in ready)
        same = [load for load in ready if phases[load.phase] == first]
        served = (load for load in same if not _open_in_phase(loose[load.key], waiting, load.phase))
        chosen = next(served, same[0])
        ordered.append(waiting.pop(chosen.key))
    return tuple(ordered), _late(ordered, edges)


def reading_order(ordered: Sequence[Load], counts: Mapping[str, int]) -> tuple[Load, ...]:
    """The order in which sources are read while earlier loads are written: what can be written next, smallest first.

    `ordered` as `load_order` has them, `counts` are records per source object. Reading is the quicker of the two steps
    of every object, so the longest belongs where most is left to write meanwhile (two machines, S. M. Johnson 1954).
    """
    needs = _needs_of(ordered)
    depths: dict[str, int] = {}
    for load in ordered:
        depths[load.key] = max((depths[key] + 1 for key in needs[load.key] if key in depths), default=0)
    waiting = {load.key: load for load in ordered}
    chosen: list[Load] = []
    while waiting:
        ready = [load for key, load in waiting.items() if not needs[key] & (waiting.keys() - {key})]
        first = min(ready or waiting.values(), key=lambda load: (counts.get(load.source_object, 0), depths[load.key]))
        chosen.append(waiting.pop(first.key))
    return tuple(chosen)


def _needs_of(loads: Sequence[Load]) -> dict[str, set[str]]:
    """Load key → keys of the loads that have to run before it."""
    needs: dict[str, set[str]] = {load.key: {load.base} if load.base else set() for load in loads}
    for edge in lookup_edges(loads):
        needs[edge.load].add(edge.needs)
    return needs


def _late(ordered: Sequence[Load], edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Lookups whose records are not there yet when their load runs in this order."""
    place = {load.key: number for number, load in enumerate(ordered)}
    return tuple(
        edge
        for edge in edges
        if place[edge.needs] > place[edge.load] or (edge.needs == edge.load and not edge.required)
    )


def _open_in_phase(needs: set[str], waiting: Mapping[str, Load], phase: str) -> bool:
    return any(key in waiting and waiting[key].phase == phase for key in needs)


def with_deferred_links(document: MappingDocument) -> tuple[MappingDocument, tuple[Edge, ...]]:
    """The document in load order, lookups that point forwards moved into link loads.

    Loads that create come first, then notes and files, then links. A lookup with several loads is moved as a whole:
    which of them holds the record is known only when all are loaded. Applying it twice changes nothing. Raises
    PlanImpossible.
    """
    creating = [load for load in document.loads if load.enabled and load.mode is LoadMode.CREATE]
    ordered, late = load_order(creating)
    moved = {(edge.load, edge.target) for edge in late}
    kept = tuple(_without(load, moved) for load in ordered)
    links = tuple(_link_load(load, moved) for load in ordered if any(key == load.key for key, _ in moved))
    written = {load.key for load in kept}
    rest = [load for load in document.loads if load.key not in written]
    last = [load for load in rest if load.mode is LoadMode.LINK]
    middle = [load for load in rest if load.mode is not LoadMode.LINK]
    return document.model_copy(update={"loads": (*kept, *middle, *links, *last)}), late


def _without(load: Load, moved: set[tuple[str, str]]) -> Load:
    fields = tuple(rule for rule in load.fields if (load.key, rule.target) not in moved)
    return load.model_copy(update={"fields": fields})


def _link_load(load: Load, moved: set[tuple[str, str]]) -> Load:
    fields = tuple(rule for rule in load.fields if (load.key, rule.target) in moved)
    return Load(
        key=f"{load.key}_deferred",
        row=load.row,
        source_object=load.source_object,
        target_object=load.target_object,
        part=f"{load.part}+deferred" if load.part else "deferred",
        phase="links",
        mode=LoadMode.LINK,
        base=load.key,
        when=load.when,
        fields=fields,
    )
