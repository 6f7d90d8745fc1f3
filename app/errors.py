"""Errors a caller can act on. Each becomes an RFC 9457 problem; the class name is its stable code.

AppError
├── BadRequest          400  the request itself cannot be read
├── Unauthenticated     401  no key, or one that is not valid
├── Forbidden           403  the key lacks the scope
├── NotFound            404  no such thing for this tenant
├── MethodNotAllowed    405  the path has other methods
├── Conflict            409  the state does not allow it (subclasses are facts: MappingNotConfirmed, …)
├── Stale               412  If-Match names an older version
├── BodyTooLarge        413  the body is over the limit
├── WrongMediaType      415  the body is not of a type we read
├── Invalid             422  the content is wrong; `errors` point at the places
├── PreconditionMissing 428  If-Match is required
├── TooMany             429  the caller's own rate
├── PlatformProblem     502  a vendor's account did not answer as it should
├── InternalError       500  a failure of ours; the log has it under the request id
├── NotReady            503  a part that the service needs does not answer
└── RequestTimedOut     503  the answer had not begun when its time was up
"""

import re
from typing import Any, ClassVar, Self
from uuid import UUID


def pointer_to(*parts: int | str) -> str:
    """The JSON pointer (RFC 6901) of nested members."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class AppError(Exception):
    """`detail` says what is wrong and what the caller can do next; `extra` goes into the problem document.

    `headers` are sent with the answer, for example Retry-After.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    media_type: ClassVar[str] = "application/problem+json"
    headers: dict[str, str]

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra = extra
        self.headers = {}

    def with_headers(self, **headers: str) -> Self:
        """The same error carrying response headers; underscores stand for hyphens."""
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self

    @classmethod
    def kind(cls) -> str:
        """The stable code: the class name in kebab case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @property
    def code(self) -> str:
        return self.kind()


class BadRequest(AppError):
    status = 400
    title = "The request cannot be read"


class MethodNotAllowed(AppError):
    status = 405
    title = "This path does not take that method"


class NotFound(AppError):
    status = 404
    title = "Not found"


class Unauthenticated(AppError):
    """`reason`, `key_id` and `tenant_id` say for the logs, never for the caller, what was wrong with whose key."""

    status = 401
    title = "A valid API key is needed"
    reason: str = ""
    key_id: str = ""
    tenant_id: UUID | None = None


class Forbidden(AppError):
    status = 403
    title = "This key may not do that"


class Conflict(AppError):
    status = 409
    title = "The current state does not allow this"


class MappingNotConfirmed(Conflict):
    title = "The mapping is not confirmed"


class MappingNotEditable(Conflict):
    title = "This mapping version is confirmed and cannot change"


class OwnersUnresolved(Conflict):
    title = "Some owners are neither matched, mapped nor given a fallback"


class ProvisioningIncomplete(Conflict):
    title = "The destination still lacks what the mapping needs"


class AgreementNotConfirmed(Conflict):
    title = "Sensitive fields need an agreement with the destination's vendor"


class SampleNotApproved(Conflict):
    title = "No sample run of this mapping is approved"


class StepMissing(Conflict):
    title = "An earlier step has not been done"


class RunNotSuitable(Conflict):
    title = "The run is not in a state for this"


class RollbackLeavesTraces(Conflict):
    title = "The rollback leaves traces at this destination"


class AnotherRunActive(Conflict):
    title = "Another run of this engagement is active"


class RequestInFlight(Conflict):
    title = "The same request is being processed"


class EngagementPurged(Conflict):
    title = "The engagement's data has been purged"


class Stale(AppError):
    status = 412
    title = "The document has changed since you read it"


class PreconditionMissing(AppError):
    status = 428
    title = "If-Match is required"


class Invalid(AppError):
    """`errors` is a list of {"pointer", "code", "detail"}."""

    status = 422
    title = "The content is not valid"


class UnknownPlatform(Invalid):
    title = "Unknown platform"


class UnknownPair(NotFound):
    title = "This pair is not offered"


class MappingInvalid(Invalid):
    title = "The mapping is not valid"


class PlanImpossible(Invalid):
    title = "No order of writing satisfies the mapping"


class IdempotencyKeyMissing(AppError):
    status = 400
    title = "Idempotency-Key is required"


class IdempotencyKeyReused(Invalid):
    title = "This Idempotency-Key was used with another request"


class BodyTooLarge(AppError):
    status = 413
    title = "The body is too large"


class WrongMediaType(AppError):
    status = 415
    title = "The body must be JSON"


class InternalError(AppError):
    """What is told of a failure of ours: nothing but that it happened."""


class NotReady(AppError):
    status = 503
    title = "The service is not ready"


class RequestTimedOut(AppError):
    status = 503
    title = "The request took too long"


class TooMany(AppError):
    status = 429
    title = "Too many requests"


class PlatformProblem(AppError):
    status = 502
    title = "The platform did not answer as it should"


class CredentialsRejected(PlatformProblem):
    status = 422
    title = "The platform does not accept the credentials"


class PlatformUnreachable(PlatformProblem):
    title = "The platform cannot be reached"


class TargetForbidden(Invalid):
    title = "This address may not be called"
