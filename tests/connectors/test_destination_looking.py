"""Every destination: finding, fetching and counting records."""

import json
from datetime import datetime, timedelta

import pytest

from connectors.base import WriteStyle, WriteTarget
from connectors.errors import ContractBroken
from tests.connectors.connector_kit import utc_now
from tests.connectors.destination_cases import Bench


class TestLooking:
    async def test_find_by_exact_value_only(self, bench: Bench) -> None:
        odd = ["it's", 'quo"ted', "back\\slash", "ünïcødé 日本", "a,b(c)"]
        await bench.destination.write(bench.target(), bench.records(*odd))
        found = await bench.ids(*odd, "IT'S", "missing")
        assert set(found) == set(odd)
        assert all(len(ids) == 1 for ids in found.values())

    async def test_find_tells_the_times(self, bench: Bench) -> None:
        await bench.destination.write(bench.target(), bench.records("timed"))
        (found,) = (await bench.destination.find(bench.case.keyed, bench.key_field, ["timed"]))["timed"]
        assert found.created_at is not None
        assert found.created_at.utcoffset() == timedelta(0)
        assert abs(found.created_at - utc_now()) < timedelta(minutes=5)

    async def test_find_more_values_than_one_query_takes(self, bench: Bench) -> None:
        keys = [f"wide:{n}" for n in range(75)]
        await bench.destination.write(bench.target(), bench.records(*keys))
        assert len(await bench.ids(*keys, *keys)) == 75

    async def test_find_all_that_share_a_value(self, bench: Bench) -> None:
        same = {bench.case.name_field: "Shared by many"}
        for start in (0, 100, 200):
            keys = [f"shared:{n}" for n in range(start, start + 100)]
            await bench.destination.write(bench.target(), bench.records(*keys, **same))
        found = await bench.destination.find(bench.case.keyed, bench.case.name_field, ["Shared by many"])
        assert len({one.id for one in found["Shared by many"]}) == 300

    async def test_fetch_in_chunks_and_without_the_gone(self, bench: Bench) -> None:
        keys = [f"fetched:{n}" for n in range(130)]
        results = [
            *await bench.destination.write(bench.target(), bench.records(*keys[:100])),
            *await bench.destination.write(bench.target(), bench.records(*keys[100:])),
        ]
        ids = [str(one.id) for one in results]
        fields = [bench.case.name_field, bench.key_field, *(f"Unknown_{n}" for n in range(60))]
        rows = await bench.destination.fetch(bench.case.keyed, [*ids, "999999999999999999"], fields)
        assert set(rows) == set(ids)
        assert [rows[one][bench.key_field] for one in ids] == keys

    async def test_what_was_entered_since_without_a_key(self, bench: Bench) -> None:
        since = utc_now() - timedelta(seconds=5)
        keyed = bench.case.keyed
        body = json.dumps({bench.case.name_field: "Nobody's key"}).encode()
        [made] = await bench.destination.write(WriteTarget(keyed, style=WriteStyle.INSERT), [body])

        async def entered(moment: datetime) -> set[str]:
            pages = await bench.destination.created_since(keyed, moment, blank=bench.key_field)
            assert pages is not None
            return {one async for page in pages for one in page}

        assert str(made.id) in await entered(since)
        assert str(made.id) not in await entered(since + timedelta(minutes=5))
        assert await bench.destination.created_since(bench.case.child, since, blank=bench.key_field) is None

    async def test_counts(self, bench: Bench) -> None:
        before = await bench.destination.count(bench.case.keyed)
        filled = await bench.destination.count(bench.case.keyed, bench.case.number_field)
        await bench.destination.write(bench.target(), bench.records("counted:1", "counted:2"))
        await bench.destination.write(bench.target(), bench.records("counted:3", **{bench.case.number_field: 1}))
        assert await bench.destination.count(bench.case.keyed) == before + 3
        assert await bench.destination.count(bench.case.keyed, bench.case.number_field) == filled + 1

    @pytest.mark.parametrize("name", ["Accounts where id", "x y", "a'b", ""])
    async def test_names_cannot_carry_a_query(self, bench: Bench, name: str) -> None:
        with pytest.raises(ContractBroken):
            await bench.destination.find(bench.case.keyed, name, ["x"])
