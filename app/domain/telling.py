"""What a source tells of itself at discovery, as findings of the preflight's report: no values, only counts."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from app.domain.quality import QualityFinding, QualityReport
from app.domain.schema import Inventory


def with_told(report: QualityReport, source: Inventory) -> QualityReport:
    """The report with what the inventory's facts say beside it.

    `unresolved` holds counts by "object.field" and by unknown or ambiguous: references by name that were not told.
    `findings` is a list of {code, object, field, count} for anything else that a person should look at.
    """
    told = [*_references(source.facts.get("unresolved")), *_findings(source.facts.get("findings"))]
    if not told:
        return report
    findings = sorted((*report.findings, *told), key=lambda one: (one.object, -one.count, one.code, one.field))
    return report.model_copy(update={"findings": tuple(findings)})


def _references(told: JsonValue) -> Iterator[QualityFinding]:
    for path, counts in told.items() if isinstance(told, Mapping) else ():
        name, _, field = path.partition(".")
        for kind, count in counts.items() if isinstance(counts, Mapping) else ():
            if isinstance(count, int) and count > 0:
                yield QualityFinding(code=f"reference_{kind}", object=name, field=field, count=count)


def _findings(told: JsonValue) -> Iterator[QualityFinding]:
    for one in told if isinstance(told, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("count"), int):
            names = {key: str(one.get(key) or "") for key in ("code", "object", "field")}
            yield QualityFinding(count=int(str(one["count"])), **names)
