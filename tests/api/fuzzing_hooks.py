"""What schemathesis cannot know from a schema: refusals that depend on more than the form of a request.

Loaded by SCHEMATHESIS_HOOKS. Every check stays on; a refusal passes as no failure only when all its codes are in this
closed list. Whatever the form of a value decides (types, patterns, lengths, members) is a failure as everywhere.
"""

from typing import Any

import schemathesis

BEYOND_A_SCHEMA = {
    "credentials-needed": "an account whose address changes needs its credentials again",
    "cursor-invalid": "a cursor is signed by the service",
    "file-unreadable": "what the bytes of a file hold",
    "idempotency-key-reused": "a key belongs to the request it came with",
    "in-the-past": "a key's end is compared with the clock",
    "listed-twice": "members of a list differ in one of their fields",
    "other-engagement": "the body repeats the engagement of the path",
    "other-platform": "the engagement names its platforms",
    "out-of-order": "one date is compared with another",
    "not-a-cause": "the failures of a run that another document names",
    "stale": "an ETag names a version",
    "target-forbidden": "where an address leads",
    "unknown-category": "the categories of the rules of prices",
    "unknown-option": "the options of the rules of prices",
    "unknown-edition": "the editions of the platform that another member names",
}
OF_THE_PLATFORM = ("/credentials/", "/config/")
"""Members whose form is a fact of the engagement's platform, which another document names."""


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """False for what is no failure."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    try:
        problem = response.json()
    except ValueError:
        return True
    if problem.get("code") in BEYOND_A_SCHEMA:
        return False
    places = problem.get("errors") or []
    return not places or not all(_beyond(each) for each in places)


def _beyond(place: dict[str, Any]) -> bool:
    return place.get("code") in BEYOND_A_SCHEMA or str(place.get("pointer", "")).startswith(OF_THE_PLATFORM)
