"""Access tokens of an account: one holder renews, all others find the fresh token."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.base import Clock, TokenStore
from connectors.errors import CredentialsRejected

_TOKEN_MARGIN = timedelta(seconds=60)


class TokenAuth:
    """Bearer tokens from a TokenStore; one holder renews, the others find the fresh token (ruling 7).

    A platform's subclass says how a token is fetched. Token fields are strings; `expires_at` (ISO 8601) is optional.
    """

    scheme = "Bearer"

    def __init__(self, tokens: TokenStore, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._token: Mapping[str, str] | None = None
        self._adopting = asyncio.Lock()

    async def fetch(self) -> dict[str, str]:
        """Asks the platform for a token: at least `access_token`. Raises CredentialsRejected or Transient."""
        raise CredentialsRejected("this platform gives out no tokens")

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown; a subclass adds the long-lived ones."""
        return (self._token["access_token"],) if self._token else ()

    def header(self, token: Mapping[str, str]) -> str:
        return f"{self.scheme} {token['access_token']}"

    async def current(self) -> str:
        """The header of a token that is still good; the first calls of a process wait for one of them to get it."""
        if self._token is None or not self._fresh(self._token):
            async with self._adopting:
                if self._token is None or not self._fresh(self._token):
                    await self._adopt()
        assert self._token is not None
        return self.header(self._token)

    async def renew(self, refused: str) -> None:
        """Replaces the token whose header was `refused`, unless somebody did so meanwhile."""
        async with self._tokens.refreshing() as cached:
            if cached and self._fresh(cached) and self.header(cached) != refused:
                self._token = cached
                return
            token = await self.fetch()
            await self._tokens.save(token)
            self._token = token

    async def _adopt(self) -> None:
        cached = await self._tokens.load()
        if cached and self._fresh(cached):
            self._token = cached
        else:
            await self.renew(self.header(cached) if cached and cached.get("access_token") else "")

    def _fresh(self, token: Mapping[str, str]) -> bool:
        if not token.get("access_token"):
            return False
        until = token.get("expires_at")
        return not until or datetime.fromisoformat(until) - _TOKEN_MARGIN > self._clock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
