"""What a person reads when a platform does not play along: connector errors as problems that say what to do."""

from app.errors import (
    AppError,
    CredentialsRejected,
    Invalid,
    PlatformProblem,
    PlatformUnreachable,
)
from connectors import errors as connector

_NO_ANSWER = frozenset({"UNREACHABLE", "ANSWER_LOST"})


class PlatformRefuses(Invalid):
    """The platform answered, but not in a way that lets us work: an edition without API access, or a wrong address."""

    title = "The platform's account or address does not allow this"


class EditionWithoutApiAccess(PlatformRefuses):
    title = "This edition has no API access"


def problem_of(error: connector.ConnectorError, platform: str, role: str) -> AppError:
    """The problem behind a connector's error. `platform` is the name people know, `role` the connection's."""
    facts = {"platform_code": error.code or None, "platform_status": error.status, "role": role}
    if isinstance(error, connector.CredentialsRejected):
        return CredentialsRejected(
            f"{platform}: {error.detail}. PUT the {role} connection again with credentials that work.", **facts
        )
    if isinstance(error, connector.QuotaExhausted):
        until = error.until.isoformat() if error.until else None
        return PlatformProblem(
            f"{platform}: {error.detail}. Ask again {f'after {until}' if until else 'later'}.", until=until, **facts
        )
    if isinstance(error, connector.Transient | connector.Ambiguous):
        if error.code in _NO_ANSWER:
            return PlatformUnreachable(
                f"{platform}: {error.detail}. Check the base URL in the {role} connection's config, and that the host "
                "lets us in; then test again.",
                **facts,
            )
        return PlatformProblem(f"{platform}: {error.detail}. Test again in a minute.", **facts)
    if error.status is not None and error.status >= 500:
        return PlatformProblem(f"{platform}: {error.detail}. Test again in a minute.", **facts)
    return PlatformRefuses(
        f"{platform}: {error.detail}. Check that the base URL is the platform's own and that the account's edition "
        "has API access.",
        **facts,
    )


def silent(platform: str, role: str, seconds: float) -> AppError:
    """Nothing was heard from the platform while a person waited."""
    return PlatformUnreachable(
        f"{platform} did not answer within {seconds:.0f} seconds. Check the base URL in the {role} connection's "
        "config, and that the host lets us in; then test again.",
        role=role,
    )


def edition_problem(platform: str, edition: str, better: list[str]) -> AppError:
    """The account's plan has no API; `better` are the plans that do."""
    advice = f"Upgrade the account to {' or '.join(better)}" if better else "Ask the vendor for API access"
    return EditionWithoutApiAccess(
        f"{platform}'s {edition} edition has no API access, so nothing can be read or written. {advice}, then test "
        "again.",
        edition=edition,
        editions_with_api=better,
    )
