"""A platform that asks for minutes: the run is put down with its reason, instead of standing still with its lease."""

from types import SimpleNamespace
from typing import cast

import pytest

from app.runs.repeating import is_long, repeated
from app.runs.work import Work
from connectors.errors import Transient


class Calls:
    """A call that is refused each time, with or without a word on when to come again."""

    def __init__(self, retry_after: float | None) -> None:
        self.made = 0
        self._after = retry_after

    async def __call__(self) -> None:
        self.made += 1
        raise Transient("not now", retry_after=self._after)


async def _nothing(_seconds: float) -> None:
    return None


def work() -> Work:
    settings = SimpleNamespace(call_timeout_seconds=1.0)
    found = SimpleNamespace(
        lease=SimpleNamespace(ready_to_send=_nothing),
        runtime=SimpleNamespace(settings=settings),
        check_stop=lambda: None,
    )
    return cast("Work", found)


@pytest.mark.parametrize(("seconds", "long"), [(None, False), (1.0, False), (30.0, False), (31.0, True), (600.0, True)])
def test_half_a_minute_is_waited_out_in_place(seconds: float | None, long: bool) -> None:
    assert is_long(Transient("later", retry_after=seconds)) is long


async def test_a_long_pause_is_handed_on_at_once() -> None:
    calls = Calls(600.0)
    with pytest.raises(Transient):
        await repeated(work(), calls)
    assert calls.made == 1


async def test_a_short_one_is_waited_out() -> None:
    calls = Calls(0.0)
    with pytest.raises(Transient):
        await repeated(work(), calls)
    assert calls.made == 8
