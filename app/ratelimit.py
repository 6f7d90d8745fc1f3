"""How often a caller may ask: fixed windows counted in Redis for all API processes, in memory where Redis is away."""

from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError
from starlette.requests import Request

from app.errors import TooMany
from app.runtime import Runtime

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in `window` seconds per partition."""

    name: str
    quota: int
    window: int


KEY_POLICY = Policy("key", 18_000, 60)
ADDRESS_POLICY = Policy("address", 30, 60)
ORIGIN_POLICY = Policy("origin", 600, 60)
_MEMORY: dict[str, int] = {}


async def check_rate(runtime: Runtime, request: Request, policy: Policy, partition: str) -> None:
    """Counts this request; the RateLimit headers of the answer follow from it. Raises TooMany, which did nothing."""
    now = runtime.now().timestamp()
    turn = int(now // policy.window)
    used = await _count(runtime, f"rate:{policy.name}:{partition}:{turn}", policy.window)
    reset = max(1, int((turn + 1) * policy.window - now + 0.999))
    request.state.rate_limit = {
        "RateLimit-Policy": f'"{policy.name}";q={policy.quota};w={policy.window}',
        "RateLimit": f'"{policy.name}";r={max(0, policy.quota - used)};t={reset}',
    }
    if used > policy.quota:
        raise TooMany(f"{policy.quota} requests in {policy.window} seconds are allowed; wait {reset} s.").with_headers(
            Retry_After=str(reset)
        )


async def _count(runtime: Runtime, name: str, window: int) -> int:
    if runtime.redis is not None:
        try:
            async with runtime.redis.pipeline(transaction=False) as pipe:
                pipe.incr(name)
                pipe.expire(name, window * 2)
                return int((await pipe.execute())[0])
        except (RedisError, OSError) as error:
            log.warning("rate_count_failed", error=type(error).__name__)
    if len(_MEMORY) > 10_000:
        _MEMORY.clear()
    _MEMORY[name] = _MEMORY.get(name, 0) + 1
    return _MEMORY[name]
