"""Workers that die at a chosen moment: from then on they commit nothing and send nothing, like a killed process.

Death is an exception that no handler of the product catches, and a database that refuses everybody afterwards: what
was in the middle of a transaction rolls back, the lease stays taken, no state is written.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database
from app.runs.ledger import Book
from app.runtime import Runtime
from connectors.zoho_crm.destination import ZohoDestination
from tests.runs.road import Road

Policy = Callable[[str], bool]
_CALLS = ("write", "update", "attach", "attach_link", "delete")


class Killed(BaseException):
    """The process is gone."""


class Doom:
    """Hears of every step of one worker and decides when it dies.

    Steps: `call X` and `answer X` around a write to the object X, `intent STAGE` and `record LOAD` inside the
    transaction that commits them, `commit` before and `committed` after every transaction.
    """

    def __init__(self, policy: Policy) -> None:
        self.dead = False
        self.last = ""
        self._policy = policy

    def step(self, name: str) -> None:
        """Raises Killed when the worker is dead or dies here."""
        if not self.dead and self._policy(name):
            self.dead, self.last = True, name
        if self.dead:
            raise Killed(self.last)


class MortalDatabase(Database):
    """A database that a dead worker cannot reach."""

    def __init__(self, url: str, doom: Doom) -> None:
        super().__init__(url, pool_size=10)
        self._doom = doom

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID | None) -> AsyncIterator[AsyncSession]:
        async with super().transaction(tenant_id) as session:
            self._check()
            yield session
            self._doom.step("commit")
        self._doom.step("committed")

    @asynccontextmanager
    async def connection(
        self, tenant_id: UUID | None, *, idle_seconds: float = 0.0
    ) -> AsyncIterator["asyncpg.Connection[Any]"]:
        async with super().connection(tenant_id, idle_seconds=idle_seconds) as connection:
            self._check()
            yield connection
            self._doom.step("commit")
        self._doom.step("committed")

    def _check(self) -> None:
        if self._doom.dead:
            raise Killed(self._doom.last)


@contextmanager
def doomed(runtime: Runtime, policy: Policy) -> Iterator[tuple[Runtime, Doom]]:
    """Another worker's runtime over the same servers, which dies as `policy` says."""
    doom = Doom(policy)
    database = MortalDatabase(runtime.db._url, doom)
    mortal = Runtime(runtime.settings, database, runtime.keys, runtime.now, None, dict(runtime.data_keys))
    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(ZohoDestination, name, _around(getattr(ZohoDestination, name), doom))
        patch.setattr(Book, "commit_intent", _inside(Book.commit_intent, doom, "intent"))
        patch.setattr(Book, "record", _inside(Book.record, doom, "record"))
        yield mortal, doom


def _around(call: Callable[..., Awaitable[Any]], doom: Doom) -> Callable[..., Awaitable[Any]]:
    @wraps(call)
    async def wrapped(self: Any, target: Any, *arguments: Any, **named: Any) -> Any:
        what = getattr(target, "object", None) or ("Attachments" if "attach" in call.__name__ else target)
        doom.step(f"call {what}")
        answer = await call(self, target, *arguments, **named)
        doom.step(f"answer {what}")
        return answer

    return wrapped


def _inside(call: Callable[..., Awaitable[Any]], doom: Doom, word: str) -> Callable[..., Awaitable[Any]]:
    """A step of a transaction: the stage's key for an intent, the load's for results."""

    @wraps(call)
    async def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        given = [*arguments, *named.values()]
        name = next((one.key for one in given if hasattr(one, "key") and hasattr(one, "source_object")), None)
        name = name or next((one for one in given if isinstance(one, str) and one.startswith("load:")), "")
        result = await call(self, *arguments, **named)
        doom.step(f"{word} {name.removeprefix('load:')}")
        return result

    return wrapped


def at(wanted: str, skip: int = 0) -> Policy:
    """Dies at the step called `wanted`, after letting it pass `skip` times."""
    seen = 0

    def policy(name: str) -> bool:
        nonlocal seen
        if name != wanted:
            return False
        seen += 1
        return seen > skip

    return policy


def after(steps: int) -> Policy:
    """Dies at the step of that number, whatever it is."""
    left = steps

    def policy(_: str) -> bool:
        nonlocal left
        left -= 1
        return left <= 0

    return policy


async def one_life(way: Road, run_id: UUID, policy: Policy) -> Doom:
    """A worker takes the run and lives as long as the policy lets it; its lease ends with it. `last` says where."""
    with doomed(way.runtime, policy) as (runtime, doom):
        try:
            await way.drive_once(run_id, runtime=runtime)
        except Killed:
            pass
        finally:
            doom.dead = True
            await runtime.db.close()
    await way.free(run_id)
    return doom
