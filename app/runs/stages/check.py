"""Before anything is written: the whole mapping must fit what the destination offers now, stages included."""

from app.domain.compiling import MappingInvalid
from app.domain.mapping import LoadMode
from app.domain.provisioning import missing_stages
from app.domain.resolving import Problem, ProblemCode
from app.errors import StepMissing
from app.runs.compiled import compile_rule, target_inventory
from app.runs.work import Work

_CHECKED = frozenset({"sample", "full", "delta"})


async def check_mapping(work: Work) -> None:
    """Compiles every enabled load before the first call. Raises MappingInvalid with the places of all loads, and
    StepMissing where the pipeline lacks a stage that deals will hold."""
    if work.run.kind not in _CHECKED or work.document is None:
        return
    offered = await target_inventory(work)
    problems: list[Problem] = []
    loads: list[str] = []
    for rule in work.document.loads:
        if not rule.enabled:
            continue
        if (
            rule.mode in (LoadMode.CREATE, LoadMode.LINK)
            and offered.object(work.object_name(rule.target_object)) is None
        ):
            loads.append(rule.key)
            text = f"the destination has no {rule.target_object}"
            problems.append(Problem(f"/loads/{rule.key}/target_object", ProblemCode.UNKNOWN_TARGET, text))
            continue
        try:
            await compile_rule(work, rule)
        except MappingInvalid as invalid:
            loads.append(rule.key)
            problems += [one._replace(pointer=f"/loads/{rule.key}{one.pointer}") for one in invalid.problems]
    if problems:
        raise MappingInvalid(", ".join(loads), problems)
    absent = [str(stage["name"]) for stage in missing_stages(work.document, offered)]
    if absent:
        raise StepMissing(
            f"The pipeline has no stage called {', '.join(absent)}. Create what is missing in its settings, then run"
            " provisioning again, or map the statuses to stages that exist.",
            stages=absent,
        )
