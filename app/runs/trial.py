"""The rehearsal of a rollback inside a sample: written and taken back under a number of its own, then written again.

What the rehearsal books in the ledger belongs to that number, so that the sample proper finds its records as if nobody
had tried before. Calls, lease and stages are the run's own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from uuid import uuid5

from app.runs.ledger import Book
from app.runs.resolved import ResolvedIds
from app.runs.work import StageRow, Work
from connectors.base import Destination, Source

REHEARSAL = "rehearsal"
"""What the number of a rehearsal is made of, beside its run's."""
Stage = Callable[[Work, StageRow], Awaitable[None]]
_SHARED = ("compiled:", "target_inventory", "source_inventory", "owners", "claims:", "merged:", "children:", "doubles")


class TrialWork(Work):
    """The run's work under the rehearsal's number."""

    parent: Work

    @property
    def book(self) -> Book:
        now = super().book
        return Book(now.tenant_id, now.engagement_id, now.destination_id, uuid5(self.run.id, REHEARSAL))

    async def source(self) -> Source:
        return await self.parent.source()

    async def destination(self) -> Destination:
        return await self.parent.destination()

    def check_stop(self) -> None:
        if self.parent.stopping:
            self.stop(self.parent.stopping)
        super().check_stop()


def on_trial(stage: Stage) -> Stage:
    """The stage as the rehearsal runs it."""

    async def run(work: Work, row: StageRow) -> None:
        await stage(_trial(work), row)

    return run


def _trial(work: Work) -> Work:
    if "trial" not in work.cache:
        view = TrialWork(**{one.name: getattr(work, one.name) for one in fields(Work)})
        view.parent = work
        view.cache = {key: value for key, value in work.cache.items() if key.startswith(_SHARED)}
        view.resolved = ResolvedIds()
        work.cache["trial"] = view
    trial: Work = work.cache["trial"]
    return trial
