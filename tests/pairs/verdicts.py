"""What every pair has to show whatever its rows are: they arrive, a planted fault is seen, nothing is lost."""

import csv
import io
from collections.abc import Iterable, Mapping

from tests.pairs.comparing import FAR, Account, Expected, differences
from tests.runs.road import Road

OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined", "held")
Planted = Mapping[str, tuple[str, str, str]]
"""By row: the load, the rule that is taken out, and the field that then must be missed."""


async def arrives(reader: Account, row: Iterable[Expected]) -> None:
    """Every record of a row stands at the destination, field by field."""
    for expected in row:
        assert await differences(reader, expected) == [], expected.former


async def is_missed(reader: Account, row: Iterable[Expected], label: str, planted: Planted) -> None:
    """The field whose rule was taken out differs, and only such fields do."""
    missed = [name for expected in row for name in await differences(reader, expected)]
    assert label in missed
    assert set(missed) <= {one for _, _, one in planted.values()}
    assert FAR not in missed


async def conserves(way: Road, *, held: int | None = None) -> None:
    """Nothing differs when read back, and every planned write has one outcome; `held` of them wait for a person."""
    stages = await way.stages(way.runs["full"])
    found = {key: one.counts["discrepancies"] for key, one in stages.items() if one.kind == "reconcile"}
    assert found
    assert not any(found.values()), found
    counts = (await way.row(way.runs["full"])).counts
    assert counts["read"] == sum(counts[name] for name in OUTCOMES)
    assert counts["quarantined"] == 0
    assert held is None or counts["held"] == held


async def csv_of(way: Road, name: str) -> list[dict[str, str]]:
    """A file that the full run handed over."""
    body = await way.file(way.runs["full"], name)
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
