"""Keys that this process has seen: what they were, and the condition under which they still are.

A request with a known key spends no way to the database on asking for it. The secret is compared here, and whether the
key is there, unrevoked, unexpired and of the same rights is a condition of the statement that opens the request's
transaction: nothing is taken on trust, and a revocation holds from the commit on.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

MOST_KEYS = 10_000
_WORDS = re.compile(r"[a-z_:,]*")


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key as the database told it; `scopes` are those of the row."""

    key_id: UUID
    tenant_id: UUID
    role: str
    scopes: tuple[str, ...]
    digest: bytes = field(repr=False)

    def condition(self, now: datetime) -> str | None:
        """A statement that fails (division by zero) unless the key is still this one at `now`.

        None where a word of the row is not one of ours: only ids, hexadecimal digits and plain words get in.
        """
        scopes = ",".join(self.scopes)
        if not _WORDS.fullmatch(self.role) or not _WORDS.fullmatch(scopes):
            return None
        return (
            f"SELECT 1 / count(*) FROM find_api_key('{self.key_id}') WHERE tenant_id = '{self.tenant_id}'"  # noqa: S608
            f" AND digest = '\\x{self.digest.hex()}' AND role = '{self.role}' AND scopes = '{{{scopes}}}'"
            f" AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > '{now.isoformat()}')"
        )


@dataclass(frozen=True, slots=True)
class Unproved:
    """A caller's secret that was right a while ago, with the condition that proves it now."""

    secret: str = field(repr=False)
    condition: str = field(repr=False)
