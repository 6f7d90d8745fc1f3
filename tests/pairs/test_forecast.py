"""What a plan says a run will cost, beside what the run has cost: whole, and for what is written with its parent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.demo.standins import STAND_INS
from app.engagements.service import find_engagement
from app.runs.plans import preview
from connectors.octopuspro.generator import write_export
from tests.pairs.company import Company
from tests.pairs.conftest import moving, up_to
from tests.pairs.uploading import send_files
from tests.runs.road import Road

PAIR = ("octopuspro", "freshsales")
SCALE = 400
_WRITES = ("write ", "update ", "bulk ", "job ")


@dataclass
class Cost:
    """The plan's stages, and the calls that the run booked by purpose."""

    plan: dict[str, Any]
    made: int
    purposes: dict[str, int]

    def planned(self, target: str, kinds: tuple[str, ...], name: str) -> int:
        loads = {key for key, one in self.plan["targets"].items() if one == target}
        return sum(one[name] for one in self.plan["stages"] if one["kind"] in kinds and one["name"] in loads)


def files_in(folder: Path) -> dict[str, bytes]:
    write_export(folder, SCALE, seed=7)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


async def by_hand(way: Road) -> None:
    """What the checklist asks of an administrator."""
    reports = await way.reports(way.runs["provision"])
    changes = next(body for kind, _, body in reports if kind == "provisioning")["changes"]
    for change in changes:
        for action in STAND_INS["freshsales"].admin(change) if change["manual"] else ():
            await way.destination.post("admin", action)


@pytest.fixture(scope="module")
async def cost(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cost]:
    """A generated export with many lines, moved whole."""
    folder: Path = tmp_path_factory.mktemp("export")
    async with moving(database_url, "", Company(), pair=PAIR) as made:
        way = made.road
        await send_files(way, files_in(folder), timezone="Australia/Sydney")
        await up_to(way, "provision", admin=by_hand)
        async with way.runtime.db.transaction(way.tenant_id) as session:
            engagement = await find_engagement(session, way.tenant_id, way.engagement_id)
            plan = await preview(way.runtime, session, engagement, "full", {})
        plan["targets"] = {load.key: load.target_object for load in (await way.document()).loads}
        run = await way.row(await way.run("full"))
        yield Cost(plan, int(run.calls["made"]), dict(run.calls["by_purpose"]))


def test_the_whole_run_costs_what_the_plan_says(cost: Cost) -> None:
    planned = cost.plan["forecast"]["write_calls"] + cost.plan["forecast"]["read_calls"]
    assert planned == pytest.approx(cost.made, rel=0.1), cost.purposes


def test_lines_cost_a_call_for_each_deal(cost: Cost) -> None:
    planned = cost.planned("deal_products", ("load", "note"), "write_calls")
    assert planned == pytest.approx(cost.purposes["write deal_products"], rel=0.05)


@pytest.mark.parametrize("target", ["deals", "tasks", "appointments", "notes", "products"])
def test_every_phase_writes_what_the_plan_says(cost: Cost, target: str) -> None:
    made = sum(cost.purposes.get(f"{word}{target}", 0) for word in _WRITES)
    # the export is dirty on purpose: what is held for a person costs no call
    assert cost.planned(target, ("load", "note", "link"), "write_calls") == pytest.approx(made, rel=0.08, abs=3)
