"""Every destination: what writing a batch answers."""

import json

import pytest

from connectors.base import WriteStatus, WriteStyle, WriteTarget
from connectors.errors import BatchRefused, ContractBroken
from tests.connectors.destination_cases import Bench


class TestWriting:
    async def test_results_come_in_batch_order(self, bench: Bench) -> None:
        keys = [f"order:{place}" for place in range(100)]
        calls = bench.meter.made
        results = await bench.destination.write(bench.target(), bench.records(*keys))
        assert bench.meter.made == calls + bench.case.calls_per_hundred
        assert [one.status for one in results] == [WriteStatus.CREATED] * 100
        found = await bench.ids(*keys)
        assert [found[key] for key in keys] == [[one.id] for one in results]

    async def test_the_same_key_updates_and_never_doubles(self, bench: Bench) -> None:
        (first,) = await bench.destination.write(bench.target(), bench.records("again"))
        (second,) = await bench.destination.write(bench.target(), bench.records("again"))
        assert (first.status, second.status) == (WriteStatus.CREATED, WriteStatus.UPDATED)
        assert first.id == second.id
        assert (await bench.ids("again"))["again"] == [first.id]

    async def test_equal_names_stay_two(self, bench: Bench) -> None:
        same = {bench.case.name_field: "One Name"}
        results = await bench.destination.write(bench.target(), bench.records("twin:1", "twin:2", **same))
        assert len({one.id for one in results}) == 2

    async def test_a_refused_record_is_a_value_and_the_others_land(self, bench: Bench) -> None:
        good, bad = bench.records("mixed:1"), json.dumps({bench.key_field: "mixed:2"}).encode()
        results = await bench.destination.write(bench.target(), [*good, bad, *bench.records("mixed:3")])
        assert [one.status for one in results] == [WriteStatus.CREATED, WriteStatus.REFUSED, WriteStatus.CREATED]
        assert results[1].code
        assert results[1].field == bench.case.name_field
        assert set(await bench.ids("mixed:1", "mixed:2", "mixed:3")) == {"mixed:1", "mixed:3"}

    async def test_all_refused_is_a_list_too(self, bench: Bench) -> None:
        bad = json.dumps({bench.key_field: "bad", bench.case.number_field: "many"}).encode()
        results = await bench.destination.write(bench.target(), [bad, bad])
        assert [one.status for one in results] == [WriteStatus.REFUSED] * 2

    async def test_an_insert_of_a_taken_key_names_the_record_in_the_way(self, bench: Bench) -> None:
        (first,) = await bench.destination.write(bench.target(), bench.records("taken"))
        (second,) = await bench.destination.write(bench.target(WriteStyle.INSERT), bench.records("taken"))
        assert second.status is WriteStatus.REFUSED
        assert second.duplicate_id == first.id

    async def test_a_batch_too_large_is_refused_as_a_whole(self, bench: Bench) -> None:
        with pytest.raises(BatchRefused):
            await bench.destination.write(bench.target(), bench.records(*(f"many:{n}" for n in range(101))))
        assert not await bench.ids(*(f"many:{n}" for n in range(101)))

    async def test_a_torn_record_refuses_the_batch(self, bench: Bench) -> None:
        with pytest.raises(BatchRefused):
            await bench.destination.write(bench.target(), [*bench.records("torn"), b'{"x":'])

    async def test_an_empty_batch_makes_no_call(self, bench: Bench) -> None:
        calls = bench.meter.made
        assert await bench.destination.write(bench.target(), []) == []
        assert await bench.destination.update(bench.target(), []) == []
        assert bench.meter.made == calls

    async def test_an_unknown_object(self, bench: Bench) -> None:
        with pytest.raises(ContractBroken):
            await bench.destination.write(WriteTarget("Nowhere"), bench.records("x"))

    async def test_updates_change_only_what_they_name(self, bench: Bench) -> None:
        name, number = bench.case.name_field, bench.case.number_field
        (one,) = await bench.destination.write(bench.target(), bench.records("changed", **{number: 12.5}))
        changes = [{"id": one.id, name: "New"}, {"id": "999999999999999999", name: "New"}]
        results = await bench.destination.update(bench.target(), [json.dumps(change).encode() for change in changes])
        assert [result.status for result in results] == [WriteStatus.UPDATED, WriteStatus.REFUSED]
        rows = await bench.destination.fetch(bench.case.keyed, [str(one.id)], [name, number])
        assert (rows[str(one.id)][name], rows[str(one.id)][number]) == ("New", 12.5)
