"""How often callers of each kind may ask, and what a process may still give out of a window."""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in `window` seconds per partition."""

    name: str
    quota: int
    window: int

    @property
    def at_once(self) -> int:
        """How many turns a process takes at a time: about half a percent of the quota."""
        return max(1, self.quota // 200)


@dataclass(slots=True)
class Turns:
    """What this process may still give out of one window: the numbers from `used` + 1 to `last`."""

    window: int
    used: int = 0
    last: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


KEY_POLICY = Policy("key", 18_000, 60)
ADDRESS_POLICY = Policy("address", 30, 60)
ORIGIN_POLICY = Policy("origin", 600, 60)
