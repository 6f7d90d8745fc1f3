"""The signed document of a reconciliation: every load's roots under one root, kept as a file of the run."""

from collections.abc import Sequence

import orjson

from app.domain.ids import encode_id
from app.domain.reconciling import ObjectRoots, Reconciliation, whole_roots
from app.runs.artifacts import keep_file
from app.runs.work import StageRow, Work
from app.signing import sign

NAME = "reconciliation.json"
KIND = "reconciliation"


async def certify(work: Work, stages: Sequence[StageRow]) -> Reconciliation | None:
    """Stores the signed document of the loads that this run reconciled; None when there are none."""
    checked = [stage for stage in stages if stage.kind == "reconcile" and "roots" in stage.detail]
    if not checked:
        return None
    objects = tuple(ObjectRoots.model_validate(stage.detail["roots"]) for stage in checked)
    meant, found = whole_roots(objects)
    async with work.transaction() as connection:
        version = await connection.fetchval("SELECT version FROM mappings WHERE id = $1", work.run.mapping_id)
    document = Reconciliation(
        engagement=encode_id("engagement", work.run.engagement_id),
        run=encode_id("run", work.run.id),
        source=work.source_platform.slug,
        destination=work.destination_platform.slug,
        mapping_version=version,
        checked_at=work.now().isoformat(),
        read_again=sum(stage.counts.get("read_again", 0) for stage in checked),
        objects=objects,
        meant=meant,
        found=found,
    )
    signed = sign(work.runtime.keys, document.model_dump(mode="json"))
    content = orjson.dumps(signed, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    await keep_file(work, KIND, NAME, "application/json", [content])
    return document
