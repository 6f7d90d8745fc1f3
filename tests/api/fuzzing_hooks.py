"""What schemathesis cannot know from a schema: ids that lead somewhere, and refusals that depend on more than the form.

Loaded by SCHEMATHESIS_HOOKS. Every check stays on. Ids of the right form are replaced by those of things that are there
(FUZZING_GROUND, see fuzzing_ground). A refusal passes as no failure only when each of its places is in the closed list
below, with the operation and the place where it belongs. Whatever the form of a value decides (types, patterns,
lengths, members) is a failure as everywhere.
"""

import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import schemathesis

ANYWHERE = ""
ENDLESS = "follow_run"  # for a run that has not ended: nothing works on runs here
COUNT = itertools.count(1)
FREE = {"source": "servicetracker", "destination": "zoho_crm", "slug": "zoho_crm", "code": "not-found"}
"""Path parameters without a form of their own: every second value leads somewhere."""
ID = re.compile(r"[a-z]{2,4}_[0-7][0-9a-hjkmnp-tv-z]{25}")
GROUND: dict[str, str] = json.loads(os.environ.get("FUZZING_GROUND", "{}"))


@dataclass(frozen=True)
class Beyond:
    """A refusal that no schema can tell: its code, the operations that may give it, the pointers it may have."""

    code: str
    operations: str
    pointer: str
    because: str


BEYOND_A_SCHEMA = (
    Beyond("cursor-invalid", r"list_\w+", "/query/cursor", "a cursor is signed by the service"),
    Beyond("credentials-needed", "put_connection", "/credentials", "an address that changes needs them again"),
    Beyond("file-kind-unknown", "upload_file", ANYWHERE, "what the bytes of a file are, whatever its name says"),
    Beyond("file-unreadable", "upload_file", ANYWHERE, "what the bytes of a file hold"),
    Beyond("in-the-past", "create_key", "/expires_at", "a key's end is compared with the clock"),
    Beyond("listed-twice", "put_owners", ANYWHERE, "members of a list differ in one of their fields"),
    Beyond("other-engagement", "purge_engagement", "/engagement_id", "the body repeats the engagement of the path"),
    Beyond("other-platform", "put_connection", "/platform", "the engagement names its platforms"),
    Beyond("other-pair", "put_mapping", "/(source|destination)", "the engagement names its platforms"),
    Beyond("out-of-order", r"(create|update)_engagement", "/calendar", "one date is compared with another"),
    Beyond("mapping-invalid", r"(put|confirm)_mapping", ANYWHERE, "a mapping is judged by what both accounts have"),
    Beyond("not-a-cause", "create_run", "/options/cause", "the failures of a run that another document names"),
    Beyond("not-a-choice", "answer_question", "/answer/choice", "the choices stand in the question"),
    Beyond("target-forbidden", r"(create|update)_webhook_endpoint", ANYWHERE, "where an address leads"),
    Beyond(
        "unknown-user",
        "put_owners",
        r"/(fallback_user_id|decisions/\d+/destination_user_id)",
        "the people of both accounts",
    ),
    Beyond("unknown-source-user", "put_owners", r"/decisions/\d+/source_user_id", "the people of the source"),
    Beyond("missing", "put_owners", "/fallback_user_id", "a decision refers to it"),
    Beyond(
        "unknown-category", r"(create_quote|create_engagement)", "/category", "the categories of the rules of prices"
    ),
    Beyond("unknown-option", "create_quote", r"/options(/\d+)?", "the options of the rules of prices"),
    Beyond("unknown-edition", "create_quote", r"/\w+_edition", "the editions of the platform in another member"),
    # what an account consists of is a fact of the engagement's platform, which another document names
    Beyond(r"(missing|extra-forbidden|string-[a-z-]+)", "put_connection", "/credentials/.+", "a fact of the platform"),
    Beyond("not-needed", "put_connection", "/credentials", "the config says that files are uploaded"),
    Beyond(r"(not-a-base-url|no-uploads|unknown-mode)", "put_connection", r"/config/\w+", "a fact of the platform"),
)


@schemathesis.serializer("application/x-ndjson")
def as_lines(_context: Any, value: Any) -> bytes:
    """The bytes of a file; what is no text is sent as JSON."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Right ids lead somewhere, a key is used once, and nobody acts for tenants that do not exist.

    Links between operations (the stateful phase) bring ids of their own.
    """
    phase = case.meta.phase if case.meta else None
    if str(getattr(getattr(phase, "data", None), "scenario", "")) == "missing_parameter":
        return  # an edit would have schemathesis send its own header after all
    linked = phase is not None and phase.name.value == "stateful"
    name = case.operation.definition.raw.get("operationId", "")
    if not linked or name == ENDLESS:
        for parameter, value in list((case.path_parameters or {}).items()):
            found = _somewhere(name, parameter, value)
            if found is not None:
                case.path_parameters[parameter] = found
    headers = case.headers or {}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) < 200:
        headers["Idempotency-Key"] = f"{key}-{next(COUNT)}"
    if "Tranship-Tenant" in headers and getattr(getattr(phase, "data", None), "parameter", "") != "Tranship-Tenant":
        del headers["Tranship-Tenant"]
    headers.pop("x-schemathesis-unknown-property", None)  # a server passes over headers that it does not know
    if "If-Match" in headers and phase is not None and phase.name.value == "fuzzing":
        headers["If-Match"] = "*"


def _somewhere(operation: str, parameter: str, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if parameter in FREE:
        return FREE[parameter] if next(COUNT) % 2 else None
    found = GROUND.get(f"{operation}.{parameter}") or GROUND.get(parameter)
    return found if found and ID.fullmatch(value) and not operation.startswith("delete_") else None


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """False for what is no failure."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    try:
        problem = response.json()
    except ValueError:
        return True
    operation = case.operation.definition.raw.get("operationId", "")
    places = list(_places(problem))
    return not places or not all(_is_beyond(operation, code, pointer) for code, pointer in places)


def _places(problem: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Code and pointer of each place; a problem without places, or of its own kind, is one itself."""
    if problem.get("code") != "invalid" or not problem.get("errors"):
        yield str(problem.get("code")), ANYWHERE
        return
    for place in problem["errors"]:
        yield str(place.get("code")), str(place.get("pointer", ""))


def _is_beyond(operation: str, code: str, pointer: str) -> bool:
    for each in BEYOND_A_SCHEMA:
        placed = each.pointer == ANYWHERE or re.fullmatch(each.pointer, pointer, re.DOTALL)
        if placed and re.fullmatch(each.code, code) and re.fullmatch(each.operations, operation):
            _note(each)
            return True
    return False


def _note(used: Beyond) -> None:
    """FUZZING_USED names a file that shows which entries are needed."""
    path = os.environ.get("FUZZING_USED")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{used.code} {used.operations} {used.pointer}\n")
