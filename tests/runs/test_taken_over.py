"""A record of the customer's that a run takes over: what it held is safe before the first call, whoever dies then."""

import pytest

from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.doom import Killed, at, doomed
from tests.runs.test_rollback_refused import by_id, theirs


@pytest.mark.parametrize("moment", ["call Accounts", "answer Accounts", "record accounts"])
async def test_a_worker_that_dies_around_the_first_call_leaves_it_theirs(
    open_way: OpenWay, source_url: str, moment: str
) -> None:
    tracker = Tracker(source_url)
    await tracker.sign_in()
    formers = [row["Id"] for row in (await tracker.rows("SELECT Id FROM Account ORDER BY Id LIMIT 3"))]
    await tracker.close()
    async with open_way(call_timeout_seconds=0.5) as way:
        await way.up_to("provision")
        ids = [await theirs(way, former) for former in formers]
        before = await by_id(way)
        run_id = await way.start("full")
        with doomed(way.runtime, at(moment)) as (runtime, doom):
            try:
                await way.drive_once(run_id, runtime=runtime)
            except Killed:
                pass
            finally:
                doom.dead = True
                await runtime.db.close()
        assert doom.last == moment
        await way.free(run_id)
        await way.drive(run_id)
        rows = {row["source_id"]: row for row in await way.ledger("target_object = 'Accounts' AND part = ''")}
        assert [(rows[one]["record_id"], rows[one]["created"]) for one in formers] == [(one, False) for one in ids]
        assert {rows[one]["run_id"] for one in formers} == {run_id}
        now = await by_id(way)
        assert all(now[one] != before[one] for one in ids)
        await way.run("rollback")
        assert await by_id(way) == before
