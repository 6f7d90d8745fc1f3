"""What can go wrong at a platform, named by what to do next.

ConnectorError                 everything below
├── Transient(retry_after)     not executed: wait, then send again
├── QuotaExhausted(until)      the account's budget is spent: park the run until then
├── CredentialsRejected        a person must renew the connection
├── ContractBroken             the platform answered outside its contract: stop, show the answer's shape
├── BatchRefused               the batch as a whole was refused: halve it
└── Ambiguous                  the answer is lost: look at the destination before anything is sent again
"""

from datetime import datetime


class ConnectorError(Exception):
    """A platform did not do what it was asked. `detail` is fit for a person and holds no secret and no record value."""

    def __init__(self, detail: str, *, code: str = "", status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status


class Transient(ConnectorError):
    """Not executed; the same call may be sent again after `retry_after` seconds (None: the caller's own backoff)."""

    def __init__(
        self, detail: str, *, retry_after: float | None = None, code: str = "", status: int | None = None
    ) -> None:
        super().__init__(detail, code=code, status=status)
        self.retry_after = retry_after


class QuotaExhausted(ConnectorError):
    """Not executed; the account's budget is spent until `until` (None: unknown, ask again in a while)."""

    def __init__(
        self, detail: str, *, until: datetime | None = None, code: str = "", status: int | None = None
    ) -> None:
        super().__init__(detail, code=code, status=status)
        self.until = until


class CredentialsRejected(ConnectorError):
    """The platform does not accept the credentials, or they lack a right that the message names."""


class ContractBroken(ConnectorError):
    """The answer does not have the documented shape, or the call is not possible in this edition."""


class BatchRefused(ConnectorError):
    """The batch was refused as a whole without a verdict per record; nothing of it was stored."""


class Ambiguous(ConnectorError):
    """The call may or may not have been executed: the answer was lost on its way."""
