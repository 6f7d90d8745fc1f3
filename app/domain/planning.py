"""A run is a plan: the stages of a sample, full, delta, reconciliation or rollback as a graph, with their forecast.

Which load comes before which is decided in `ordering`, what a stage costs in `forecasting`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from app.domain.forecasting import CallFacts, Forecast, forecast_plan, forecast_stage
from app.domain.mapping import Load, LoadMode, MappingDocument
from app.domain.ordering import Edge, lookup_edges, reading_order, with_deferred_links
from app.domain.reading import compared_objects, followed_objects, follows, source_objects
from app.domain.schema import Frozen


class RunKind(StrEnum):
    """What a run is for."""

    SAMPLE = "sample"
    FULL = "full"
    DELTA = "delta"
    RECONCILE = "reconcile"
    REPAIR = "repair"
    REPLAY = "replay"
    ROLLBACK = "rollback"
    REASSIGN = "reassign"


class StageKind(StrEnum):
    """What a stage does; the engine has one worker function per kind."""

    EXTRACT = "extract"
    CHOOSE = "choose"
    WIDEN = "widen"
    LOAD = "load"
    LINK = "link"
    NOTE = "note"
    FILE = "file"
    DELETIONS = "deletions"
    VERIFY = "verify"
    EXPORT = "export"
    RECONCILE = "reconcile"
    REPAIR = "repair"
    RESTORE = "restore"
    DELETE = "delete"
    REASSIGN = "reassign"
    FIRED = "fired"
    TRIAL_LOAD = "trial_load"
    TRIAL_RESTORE = "trial_restore"
    TRIAL_DELETE = "trial_delete"
    TRIAL_VERIFY = "trial_verify"


class StagePlan(Frozen):
    """One stage. `after` are stages that must have finished; `streams_from` may still be running, its rows flow in.

    `name` is the source object (extract, export, deletions) or the load's key; counts are forecasts.
    """

    key: str
    kind: StageKind
    name: str
    phase: str
    after: tuple[str, ...] = ()
    streams_from: str = ""
    records: int = 0
    write_calls: int = 0
    read_calls: int = 0
    credits: int = 0


class PlanFacts(Frozen):
    """What the forecast needs to know.

    `counts` are records per source object, `load_counts` planned writes per load key where they differ (conditions,
    sample, delta), `load_parents` on how many records those hang that are written with their parent. `rehearse`: a
    sample is written, taken back and written again. `references` are the objects a source field refers to, by
    "Object.Field"; `exported` are those that each file of what does not move is made of, by the export's key.
    """

    counts: dict[str, int] = {}
    load_counts: dict[str, int] = {}
    load_parents: dict[str, int] = {}
    references: dict[str, tuple[str, ...]] = {}
    exported: dict[str, tuple[str, ...]] = {}
    calls: CallFacts = CallFacts()
    rehearse: bool = False


class RunPlan(Frozen):
    """The stages in an order that respects `after`, the phases they form, and the forecast of the whole."""

    kind: RunKind
    stages: tuple[StagePlan, ...]
    phases: tuple[str, ...]
    deferred: tuple[Edge, ...] = ()
    forecast: Forecast = Forecast()

    def stage(self, key: str) -> StagePlan:
        """The stage named `key`. Raises KeyError."""
        for stage in self.stages:
            if stage.key == key:
                return stage
        raise KeyError(key)


def plan_run(
    kind: RunKind, document: MappingDocument, facts: PlanFacts, *, exports: Sequence[str] = (), overlap: bool = False
) -> RunPlan:
    """The stages of a run over the enabled loads.

    `exports` are keys of files that full runs and deltas make of what does not move. With `overlap` phases are bound
    by their lookups only; without it a phase starts when the one before has closed. Raises PlanImpossible.
    """
    document, deferred = with_deferred_links(document)
    loads = [load for load in document.loads if load.enabled]
    stages = _STAGES[kind](loads, facts, exports, overlap)
    return RunPlan(
        kind=kind,
        stages=tuple(stages),
        phases=tuple(dict.fromkeys(stage.phase for stage in stages)),
        deferred=deferred,
        forecast=forecast_plan(
            [stage.model_dump(mode="json") for stage in stages],
            facts.calls,
            objects=len({load.target_object for load in loads}),
        ),
    )


_MODE_STAGE = {
    LoadMode.CREATE: StageKind.LOAD,
    LoadMode.LINK: StageKind.LINK,
    LoadMode.NOTE: StageKind.NOTE,
    LoadMode.FILE: StageKind.FILE,
}


def _forward(loads: Sequence[Load], facts: PlanFacts, gate: tuple[str, ...], overlap: bool) -> list[StagePlan]:
    """Extraction and load stages; `gate` are stages before any load. With `overlap` sources are read in the order in
    which they can be written.
    """
    reading = reading_order(loads, facts.counts) if overlap else loads
    stages = [
        _counted(StagePlan(key=f"extract:{name}", kind=StageKind.EXTRACT, name=name, phase="extract"), facts, None)
        for name in source_objects(reading, facts.references)
    ]
    return stages + _load_stages(loads, facts, gate, overlap)


def _load_stages(loads: Sequence[Load], facts: PlanFacts, gate: tuple[str, ...], overlap: bool) -> list[StagePlan]:
    edges = lookup_edges(loads)
    by_phase: dict[str, list[str]] = {}
    stages = []
    for load in loads:
        if load.phase not in by_phase:
            by_phase[load.phase] = []
        earlier = [] if overlap else _previous(by_phase, load.phase)
        needs = [f"load:{edge.needs}" for edge in edges if edge.load == load.key and edge.needs != load.key]
        base = [f"load:{load.base}"] if load.base and load.base != load.key else []
        own = f"extract:{load.source_object}"
        whole = (*followed_objects(load, facts.references), *compared_objects(load, loads))
        read = [f"extract:{name}" for name in whole if name != load.source_object]
        streams = follows(load, loads)
        stage = StagePlan(
            key=f"load:{load.key}",
            kind=_MODE_STAGE[load.mode],
            name=load.key,
            phase=load.phase,
            after=tuple(dict.fromkeys((*gate, *(() if streams else (own,)), *read, *needs, *base, *earlier))),
            streams_from=own if streams else "",
        )
        stages.append(_counted(stage, facts, load))
        by_phase[load.phase].append(stage.key)
    return stages


def _previous(by_phase: Mapping[str, list[str]], phase: str) -> list[str]:
    """The stages of the phase before, which are themselves behind all earlier ones."""
    names = list(by_phase)
    at = names.index(phase)
    return by_phase[names[at - 1]] if at else []


def _sample(loads: Sequence[Load], facts: PlanFacts, _: Sequence[str], overlap: bool) -> list[StagePlan]:
    extracts = tuple(f"extract:{name}" for name in source_objects(loads, facts.references))
    choose = StagePlan(key="choose", kind=StageKind.CHOOSE, name="sample", phase="choose", after=extracts)
    trial = _trial(loads, facts, overlap) if facts.rehearse else []
    gate = tuple(stage.key for stage in trial if stage.kind is StageKind.TRIAL_VERIFY) or ("choose",)
    stages = _forward(loads, facts, gate, overlap)
    at = len(extracts)
    return [*stages[:at], choose, *trial, *stages[at:], _fired(loads, stages), *_verify(loads, facts, StageKind.VERIFY)]


def _fired(loads: Sequence[Load], before: Sequence[StagePlan]) -> StagePlan:
    """What appeared meanwhile that we did not write: about two calls for each object."""
    calls = 2 * len({load.target_object for load in loads})
    after = tuple(stage.key for stage in before if stage.key.startswith("load:"))
    kind = StageKind.FIRED
    return StagePlan(
        key="fired", kind=kind, name="automation", phase="verify", after=after, read_calls=calls, credits=calls
    )


def _trial(loads: Sequence[Load], facts: PlanFacts, overlap: bool) -> list[StagePlan]:
    """The rehearsal of the rollback: the sample is written, taken back as a rollback would, and read back."""
    written = [
        stage.model_copy(
            update={
                "key": _trial_key(stage.key),
                "kind": StageKind.TRIAL_LOAD,
                "phase": "rehearsal",
                "streams_from": "",
                "after": ("choose", *(_trial_key(one) for one in stage.after if one.startswith("load:"))),
            }
        )
        for stage in _load_stages(loads, facts, ("choose",), overlap)
    ]
    kinds = {
        StageKind.RESTORE: StageKind.TRIAL_RESTORE,
        StageKind.DELETE: StageKind.TRIAL_DELETE,
        StageKind.VERIFY: StageKind.TRIAL_VERIFY,
    }
    loaded = tuple(stage.key for stage in written)
    undone = [
        stage.model_copy(
            update={
                "key": _trial_key(stage.key),
                "kind": kinds[stage.kind],
                "phase": "rehearsal",
                "after": tuple(_trial_key(one) for one in stage.after) or loaded,
            }
        )
        for stage in _rollback(loads, facts, (), overlap)
    ]
    return [*written, *undone]


def _trial_key(key: str) -> str:
    return f"trial:{key}"


def _full(loads: Sequence[Load], facts: PlanFacts, exports: Sequence[str], overlap: bool) -> list[StagePlan]:
    stages = _forward(loads, facts, (), overlap)
    return [*stages, *_exports(stages, facts, exports), *_verify(loads, facts, StageKind.RECONCILE)]


def _exports(stages: Sequence[StagePlan], facts: PlanFacts, exports: Sequence[str]) -> list[StagePlan]:
    """Files of what does not move, each once what it is made of has been read; no load reads most of that."""
    known = {stage.key for stage in stages}
    needed = {name: [f"extract:{each}" for each in facts.exported.get(name, ())] for name in exports}
    missing = dict.fromkeys(key for keys in needed.values() for key in keys if key not in known)
    read = [
        _counted(
            StagePlan(key=key, kind=StageKind.EXTRACT, name=key.removeprefix("extract:"), phase="extract"), facts, None
        )
        for key in missing
    ]
    files = [
        StagePlan(key=f"export:{name}", kind=StageKind.EXPORT, name=name, phase="exports", after=tuple(needed[name]))
        for name in exports
    ]
    return [*read, *(_counted(stage, facts, None) for stage in files)]


def _delta(loads: Sequence[Load], facts: PlanFacts, exports: Sequence[str], overlap: bool) -> list[StagePlan]:
    extracts = tuple(f"extract:{name}" for name in source_objects(loads, facts.references))
    widen = StagePlan(key="widen", kind=StageKind.WIDEN, name="related", phase="widen", after=extracts)
    by_key = {load.key: load for load in loads}
    stages = [_merging(stage, by_key, facts) for stage in _forward(loads, facts, ("widen",), overlap)]
    stages.insert(len(extracts), widen)
    written = tuple(stage.key for stage in stages if stage.kind not in (StageKind.EXTRACT, StageKind.WIDEN))
    names = source_objects(loads, facts.references)
    gone = [
        StagePlan(key=f"deletions:{name}", kind=StageKind.DELETIONS, name=name, phase="deletions", after=written)
        for name in names
    ]
    return [*stages, *gone, *_exports(stages, facts, exports), *_verify(loads, facts, StageKind.VERIFY)]


def _merging(stage: StagePlan, loads: Mapping[str, Load], facts: PlanFacts) -> StagePlan:
    """A load of a delta reads what it is about to change, to see what people changed there."""
    if stage.kind not in _MODE_STAGE.values():
        return stage
    looked = forecast_stage("verify", loads[stage.name].target_object, stage.records, facts.calls).reads
    more = {"read_calls": stage.read_calls + looked, "credits": stage.credits + looked}
    return stage.model_copy(update=more)


def _reconcile(loads: Sequence[Load], facts: PlanFacts, _: Sequence[str], __: bool) -> list[StagePlan]:
    return _verify(loads, facts, StageKind.RECONCILE, alone=True)


def _repair(loads: Sequence[Load], facts: PlanFacts, _: Sequence[str], __: bool) -> list[StagePlan]:
    """Corrections in the order of the loads, then the check of what was corrected. What differs is few: no forecast."""
    stages: list[StagePlan] = []
    for load in loads:
        if load.mode in (LoadMode.CREATE, LoadMode.NOTE):
            key = f"repair:{load.key}"
            after = (stages[-1].key,) if stages else ()
            stages.append(StagePlan(key=key, kind=StageKind.REPAIR, name=load.key, phase="repair", after=after))
    last = (stages[-1].key,) if stages else ()
    checks = _verify(loads, facts, StageKind.RECONCILE, alone=True)
    return [*stages, *(one.model_copy(update={"after": last}) for one in checks)]


def _replay(loads: Sequence[Load], facts: PlanFacts, _: Sequence[str], __: bool) -> list[StagePlan]:
    """The given loads alone, for records that did not arrive: read again at the source, written, read back."""
    names = tuple(dict.fromkeys(load.source_object for load in loads))
    extracts = [StagePlan(key=f"extract:{name}", kind=StageKind.EXTRACT, name=name, phase="extract") for name in names]
    known = {stage.key for stage in extracts} | {f"load:{load.key}" for load in loads}
    stages = [
        stage.model_copy(update={"after": tuple(one for one in stage.after if one in known)})
        for stage in _load_stages(loads, facts, (), overlap=True)
    ]
    return [*extracts, *stages, *_verify(loads, facts, StageKind.VERIFY)]


def _verify(loads: Sequence[Load], facts: PlanFacts, kind: StageKind, *, alone: bool = False) -> list[StagePlan]:
    """Reading back, per load that created records, once all that writes to them has finished."""
    touched = {load.key: [f"load:{load.key}"] for load in loads if load.mode is not LoadMode.LINK}
    for load in loads:
        if load.mode is LoadMode.LINK and load.base in touched:
            touched[load.base].append(f"load:{load.key}")
    by_key = {load.key: load for load in loads}
    return [
        _counted(
            StagePlan(
                key=f"{kind.value}:{key}", kind=kind, name=key, phase=kind.value, after=() if alone else tuple(after)
            ),
            facts,
            by_key[key],
        )
        for key, after in touched.items()
    ]


def _rollback(loads: Sequence[Load], facts: PlanFacts, _: Sequence[str], __: bool) -> list[StagePlan]:
    """Children first: links and changed records are restored, then created records deleted against the load order."""
    asked = 2 * len({load.target_object for load in loads})  # who refers to what we created?
    restore = StagePlan(
        key="restore", kind=StageKind.RESTORE, name="restore", phase="restore", read_calls=asked, credits=asked
    )
    stages = [restore]
    before: tuple[str, ...] = ("restore",)
    for load in reversed([load for load in loads if load.mode is not LoadMode.LINK]):
        stage = StagePlan(key=f"delete:{load.key}", kind=StageKind.DELETE, name=load.key, phase="delete", after=before)
        stages.append(_counted(stage, facts, load))
        before = (stage.key,)
    return [*stages, *_verify_gone(loads, facts, before)]


def _verify_gone(loads: Sequence[Load], facts: PlanFacts, after: tuple[str, ...]) -> list[StagePlan]:
    return [
        _counted(
            StagePlan(key=f"verify:{load.key}", kind=StageKind.VERIFY, name=load.key, phase="verify", after=after),
            facts,
            load,
        )
        for load in loads
        if load.mode is not LoadMode.LINK
    ]


def _reassign(loads: Sequence[Load], facts: PlanFacts, _: Sequence[str], __: bool) -> list[StagePlan]:
    owned = [load for load in loads if any(rule.owner for rule in load.fields)]
    return [
        _counted(
            StagePlan(key=f"reassign:{load.key}", kind=StageKind.REASSIGN, name=load.key, phase="reassign"), facts, load
        )
        for load in owned
    ]


_STAGES = {
    RunKind.SAMPLE: _sample,
    RunKind.FULL: _full,
    RunKind.DELTA: _delta,
    RunKind.RECONCILE: _reconcile,
    RunKind.REPAIR: _repair,
    RunKind.REPLAY: _replay,
    RunKind.ROLLBACK: _rollback,
    RunKind.REASSIGN: _reassign,
}


def _counted(stage: StagePlan, facts: PlanFacts, load: Load | None) -> StagePlan:
    """The stage with its forecast: records, calls and credits."""
    if load is None:
        records = facts.counts.get(stage.name, 0)
    else:
        records = facts.load_counts.get(load.key, facts.counts.get(load.source_object, 0))
    target, parents = (load.target_object, facts.load_parents.get(load.key)) if load else (stage.name, None)
    calls = forecast_stage(stage.kind.value, target, records, facts.calls, parents)
    return stage.model_copy(
        update={"records": records, "write_calls": calls.writes, "read_calls": calls.reads, "credits": calls.credits}
    )
