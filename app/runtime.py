"""What exists once per process: settings, database, key ring, queue, clock. Used by API, worker, CLI and tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from msgspec import msgpack

from app.db import Database
from app.domain.ids import encode_id
from app.security import DataKey, KeyRing

if TYPE_CHECKING:
    from arq.connections import ArqRedis, RedisSettings

    from app.known_keys import KnownKey
    from app.rates import Turns
    from app.settings import Settings

log = structlog.get_logger()


@dataclass(slots=True)
class Runtime:
    """`redis` is None where nothing rings the bell (the sweep finds the work all the same)."""

    settings: "Settings"
    db: Database
    keys: KeyRing
    now: Callable[[], datetime]
    redis: "ArqRedis | None" = None
    data_keys: dict[UUID, DataKey] = field(default_factory=dict)
    turns: "dict[str, Turns]" = field(default_factory=dict)
    known_keys: "dict[UUID, KnownKey]" = field(default_factory=dict)

    async def wake(self, run_id: UUID) -> None:
        """Rings the bell for a run. A lost ring costs a second: every worker sweeps for due runs."""
        if self.redis is None:
            return
        from redis.exceptions import RedisError

        try:
            await self.redis.enqueue_job("advance_run", str(run_id))
        except (RedisError, OSError) as error:
            log.warning("wake_failed", run_id=encode_id("run", run_id), error=type(error).__name__)

    def data_key_place(self, engagement_id: UUID) -> str:
        """What an engagement's sealed data key is bound to."""
        return f"engagement:{engagement_id}:data_key"

    def data_key(self, engagement_id: UUID, sealed: bytes) -> DataKey:
        """The engagement's own key, opened once per process. Raises SealBroken."""
        key = self.data_keys.get(engagement_id)
        if key is None:
            key = DataKey(self.keys.unseal(sealed, place=self.data_key_place(engagement_id)))
            self.data_keys[engagement_id] = key
        return key


def redis_settings(url: str) -> "RedisSettings":
    """arq's connection settings; OSError must be retried or a two-second outage ends every worker (stack notes 1)."""
    from arq.connections import RedisSettings

    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 30
    settings.retry_on_timeout = True
    settings.retry_on_error = [ConnectionError, TimeoutError, OSError]
    return settings


def pack(value: object) -> bytes:
    """arq's job serialiser: MessagePack; what it cannot carry becomes text (never pickle)."""
    return msgpack.encode(value, enc_hook=str)


def unpack(data: bytes) -> dict[str, object]:
    result: dict[str, object] = msgpack.decode(data)
    return result


@asynccontextmanager
async def open_runtime(settings: "Settings", *, pool_size: int = 10) -> AsyncIterator[Runtime]:
    """Opens what `settings` name. `database_url` must be set; without `redis_url` nothing is woken early."""
    if settings.database_url is None:
        raise ValueError("a database URL is needed")
    ring = settings.load_master_keys()
    ordered = {ring.current: ring.keys[ring.current], **ring.keys}
    runtime = Runtime(
        settings=settings,
        db=Database(settings.database_url.get_secret_value(), pool_size=pool_size),
        keys=KeyRing(ordered),
        now=settings.make_clock(),
    )
    if settings.redis_url is not None:
        from arq.connections import create_pool

        runtime.redis = await create_pool(
            redis_settings(settings.redis_url.get_secret_value()), job_serializer=pack, job_deserializer=unpack
        )
    try:
        yield runtime
    finally:
        if runtime.redis is not None:
            await runtime.redis.aclose()
        await runtime.db.close()
