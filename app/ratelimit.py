"""How often a caller may ask: fixed windows counted in Redis for all API processes, in memory where Redis is away.

Of a generous quota a process takes several turns at a time, so that not every request costs a way to Redis. What it has
taken and not used by the end of the window is lost to the others: a caller may be refused by so much early, never late.
"""

import structlog
from redis.exceptions import RedisError
from starlette.requests import Request

from app.errors import TooMany
from app.rates import Policy, Turns
from app.runtime import Runtime

log = structlog.get_logger()
_MOST_PARTITIONS = 10_000


async def check_rate(runtime: Runtime, request: Request, policy: Policy, partition: str) -> None:
    """Counts this request; the RateLimit headers of the answer follow from it. Raises TooMany, which did nothing."""
    now = runtime.now().timestamp()
    turn = int(now // policy.window)
    used = await _count(runtime, policy, partition, turn)
    reset = max(1, int((turn + 1) * policy.window - now + 0.999))
    request.state.rate_limit = {
        "RateLimit-Policy": f'"{policy.name}";q={policy.quota};w={policy.window}',
        "RateLimit": f'"{policy.name}";r={max(0, policy.quota - used)};t={reset}',
    }
    if used > policy.quota:
        raise TooMany(f"{policy.quota} requests in {policy.window} seconds are allowed; wait {reset} s.").with_headers(
            Retry_After=str(reset)
        )


async def _count(runtime: Runtime, policy: Policy, partition: str, window: int) -> int:
    """The number of this request in its window, from 1 on."""
    name = f"{policy.name}:{partition}"
    turns = runtime.turns.get(name)
    if turns is None or turns.window != window:
        if len(runtime.turns) >= _MOST_PARTITIONS:
            runtime.turns.clear()
        turns = runtime.turns[name] = Turns(window)
    while turns.used >= turns.last:
        async with turns.asking:
            if turns.used >= turns.last:
                taken = policy.at_once
                turns.last = await _take(runtime, f"rate:{name}:{window}", taken, policy.window) or turns.last + taken
                turns.used = turns.last - taken
    turns.used += 1
    return turns.used


async def _take(runtime: Runtime, name: str, count: int, window: int) -> int:
    """The last of `count` numbers that nobody else has; 0 where Redis is away."""
    if runtime.redis is not None:
        try:
            async with runtime.redis.pipeline(transaction=False) as pipe:
                pipe.incrby(name, count)
                pipe.expire(name, window * 2)
                return int((await pipe.execute())[0])
        except (RedisError, OSError) as error:
            log.warning("rate_count_failed", error=type(error).__name__)
    return 0
