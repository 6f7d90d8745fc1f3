"""What a load sees of the extraction that it follows: how far records are staged for good, and whether it was so.

A source gives its records by ascending id, each once (`connectors.base.Source`), so a page that is staged is final and
may be written while the next is being read. A source that breaks this ends the stream: the load then waits for the end
of the extraction and looks at everything again (see `stages.load`).
"""

import asyncio
from contextlib import suppress

from app.runs.work import Work

_LOOKS_SECONDS = 0.25  # how often a load that waits for records asks whether the run is to stop


class StreamBroken(Exception):
    """Records came out of key order, or twice: what was staged so far is not final."""


class Stream:
    """The extraction of one object on its way, as `Handover` hears of it."""

    def __init__(self, work: Work, name: str) -> None:
        self._work = work
        self._name = name
        self._flow = work.handover.flow(name)

    @property
    def broken(self) -> bool:
        """Whether a record came that should have come before; of no meaning until the extraction has ended."""
        return self._flow.broken

    @property
    def unsettled(self) -> bool:
        """Whether it is still going on, or went on in a way that makes it necessary to look at everything again."""
        return not self._flow.ended or self._flow.broken

    async def beyond(self, after: str) -> str | None:
        """Waits until records behind `after` are staged. The id up to which all are; None when no more will come.

        Raises StreamBroken, Stopped.
        """
        flow = self._flow
        while not flow.broken and not flow.ended and flow.last <= after:
            await self._news()
        if flow.broken:
            raise StreamBroken
        return None if flow.ended else flow.last

    async def ended(self) -> None:
        """Waits until all that the source has is staged. Raises Stopped."""
        while not self._flow.ended:
            await self._news()

    async def _news(self) -> None:
        self._work.check_stop()
        self._flow.news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOKS_SECONDS):
                await self._flow.news.wait()
