"""Every destination: deleting records, those without a key, and owners."""

from connectors.base import WriteStatus, WriteStyle, WriteTarget
from tests.connectors.destination_cases import Bench, reference


class TestDeletingAndOwners:
    async def test_gone_twice_is_gone(self, bench: Bench) -> None:
        keys = [f"doomed:{n}" for n in range(120)]
        ids: list[str] = []
        for start in (0, 100):
            results = await bench.destination.write(bench.target(), bench.records(*keys[start : start + 100]))
            ids += [str(one.id) for one in results]
        for _ in range(2):
            gone = await bench.destination.delete(bench.case.keyed, ids)
            assert [(one.id, one.status) for one in gone] == [(one, WriteStatus.UPDATED) for one in ids]
        assert await bench.ids(*keys) == {}

    async def test_a_partly_gone_batch(self, bench: Bench) -> None:
        results = await bench.destination.write(bench.target(), bench.records("half:1", "half:2"))
        ids = [str(one.id) for one in results]
        await bench.destination.delete(bench.case.keyed, ids[:1])
        gone = await bench.destination.delete(bench.case.keyed, ids)
        assert [one.status for one in gone] == [WriteStatus.UPDATED] * 2

    async def test_objects_without_upsert_are_inserted(self, bench: Bench) -> None:
        target = WriteTarget(bench.case.bare, style=WriteStyle.INSERT)
        (parent,) = await bench.destination.write(bench.target(), bench.records("with tasks"))
        body = bench.case.task(bench.case.keyed, str(parent.id))
        results = await bench.destination.write(target, [body, body])
        assert [one.status for one in results] == [WriteStatus.CREATED] * 2
        assert len({one.id for one in results}) == 2
        gone = await bench.destination.delete(bench.case.bare, [str(one.id) for one in results])
        assert [one.status for one in gone] == [WriteStatus.UPDATED] * 2

    async def test_owners_change(self, bench: Bench) -> None:
        users = (await bench.destination.describe()).users
        user = next(one for one in users[::-1] if one.active)
        results = await bench.destination.write(bench.target(), bench.records("owned:1", "owned:2"))
        ids = [str(one.id) for one in results]
        changed = await bench.destination.reassign(bench.case.keyed, ids, user.id)
        assert [one.status for one in changed] == [WriteStatus.UPDATED] * 2
        rows = await bench.destination.fetch(bench.case.keyed, ids, [bench.case.owner_field])
        assert {reference(row[bench.case.owner_field]) for row in rows.values()} == {user.id}
