"""Every destination: lost answers, refusals of the whole platform, credentials."""

import asyncio
from datetime import timedelta

import pytest

from connectors.base import WriteStatus, WriteStyle, WriteTarget
from connectors.errors import Ambiguous, CredentialsRejected, Transient
from tests.connectors.connector_kit import MemoryTokens, utc_now
from tests.connectors.destination_cases import Bench, stream


class TestFaults:
    @pytest.mark.parametrize("fault", ["drop", "fail5xx_after"])
    async def test_a_lost_answer_is_ambiguous_and_find_clears_it_up(self, bench: Bench, fault: str) -> None:
        key = f"lost:{fault}"
        await bench.sandbox.faults(**{fault: 10_000})
        with pytest.raises(Ambiguous):
            await bench.destination.write(bench.target(), bench.records(key))
        await bench.sandbox.clear()
        (one,) = (await bench.ids(key))[key]
        assert one

    async def test_a_5xx_before_the_work_is_ambiguous_and_find_shows_nothing(self, bench: Bench) -> None:
        await bench.sandbox.faults(fail5xx=10_000)
        with pytest.raises(Ambiguous):
            await bench.destination.write(bench.target(), bench.records("never stored"))
        await bench.sandbox.clear()
        assert await bench.ids("never stored") == {}

    async def test_a_lost_answer_to_a_note_is_found_at_the_parent(self, bench: Bench) -> None:
        (parent,) = await bench.destination.write(bench.target(), bench.records("lost note"))
        note = bench.case.note(bench.case.keyed, str(parent.id), "marker")
        await bench.sandbox.faults(drop=10_000)
        with pytest.raises(Ambiguous):
            await bench.destination.write(WriteTarget(bench.case.child, style=WriteStyle.INSERT), [note])
        await bench.sandbox.clear()
        rows = await bench.destination.children(bench.case.child, bench.case.keyed, str(parent.id))
        assert [row[bench.case.note_text] for row in rows] == ["marker"]

    async def test_a_429_was_not_executed(self, bench: Bench) -> None:
        await bench.sandbox.faults(fail429=10_000)
        with pytest.raises(Transient):
            await bench.destination.write(bench.target(), bench.records("too many"))
        assert bench.meter.rejected_429 == 1
        await bench.sandbox.clear()
        assert await bench.ids("too many") == {}

    async def test_reads_ride_out_faults(self, bench: Bench) -> None:
        patient = bench.case.build(bench.sandbox.url, retries=15, tokens=bench.tokens)
        await bench.destination.write(bench.target(), bench.records("steady"))
        await bench.sandbox.faults(fail5xx=2_000, drop=2_000, fail429=1_000, seed=5)
        for _ in range(10):
            found = await patient.find(bench.case.keyed, bench.key_field, ["steady"])
            assert len(found["steady"]) == 1
        await patient.close()

    async def test_a_token_that_expires_midway_costs_one_renewal(self, bench: Bench) -> None:
        if not bench.case.has_tokens:
            pytest.skip("this destination gives out no tokens")
        await bench.destination.write(bench.target(), bench.records("before"))
        assert bench.tokens.token is not None
        saved = bench.tokens.saved
        bench.tokens.token["access_token"] = "stale"
        other = bench.case.build(bench.sandbox.url, tokens=bench.tokens)
        results = await asyncio.gather(
            *(other.write(bench.target(), bench.records(f"midway:{n}")) for n in range(4)),
        )
        assert [one[0].status for one in results] == [WriteStatus.CREATED] * 4
        assert bench.tokens.saved == saved + 1
        await other.close()

    async def test_a_file_whose_token_expired_is_asked_for_again(self, bench: Bench) -> None:
        if not bench.case.has_tokens:
            pytest.skip("this destination gives out no tokens")
        (parent,) = await bench.destination.write(bench.target(), bench.records("expired file"))
        tokens = MemoryTokens({"access_token": "stale", "expires_at": (utc_now() + timedelta(hours=1)).isoformat()})
        other = bench.case.build(bench.sandbox.url, tokens=tokens)
        with pytest.raises(Transient):
            await other.attach(bench.case.keyed, str(parent.id), stream("a", b"abc", size=3))
        result = await other.attach(bench.case.keyed, str(parent.id), stream("a", b"abc", size=3))
        assert result.status is WriteStatus.CREATED
        assert len(await bench.destination.children(bench.case.files, bench.case.keyed, str(parent.id))) == 1
        await other.close()

    async def test_wrong_credentials(self, bench: Bench) -> None:
        for field in bench.case.credentials:
            other = bench.case.build(bench.sandbox.url, credentials={field: "quite-wrong"}, tokens=MemoryTokens())
            with pytest.raises(CredentialsRejected) as caught:
                await other.check()
            assert "quite-wrong" not in f"{caught.value.detail} {caught.value!r}"
            await other.close()

    async def test_an_unreachable_host(self, bench: Bench) -> None:
        other = bench.case.build("http://127.0.0.1:9", tokens=bench.tokens)
        with pytest.raises(Transient):
            await other.write(bench.target(), bench.records("nowhere"))
        with pytest.raises(Transient):
            await other.check()
        await other.close()
