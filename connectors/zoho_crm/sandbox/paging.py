"""Pages of a list: numbers up to 2,000 rows, then opaque page tokens up to 100,000 (Zoho fact sheet section 14)."""

import base64
import hashlib
from dataclasses import dataclass

import orjson
from starlette.datastructures import QueryParams

from connectors.zoho_crm.sandbox.answers import Refusal, bad_param

MAX_PER_PAGE = 200
NUMBERED_ROWS = 2_000
TOKEN_ROWS = 100_000
TOKEN_SECONDS = 24 * 3600
_FREE = frozenset({"page", "page_token", "per_page"})


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are asked: after `after` (sort value and id) with a token, else from `offset`."""

    number: int
    size: int
    offset: int
    after: tuple[int, int] | None
    seen: int


def number(params: QueryParams, name: str, default: int, *, most: int | None = None) -> int:
    """A positive number from the query; INVALID_DATA otherwise."""
    text = params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) < 1 or (most and int(text) > most):
        raise bad_param(name)
    return int(text)


def _bound(path: str, params: QueryParams) -> str:
    """What a token is bound to: the module and every parameter that shapes the list."""
    parts = sorted((key, value) for key, value in params.multi_items() if key not in _FREE)
    return hashlib.sha256(orjson.dumps([path, parts])).hexdigest()[:16]


def asked_page(path: str, params: QueryParams, now: float) -> Page:
    """Reads page, per_page and page_token; refuses what the vendor refuses."""
    size = number(params, "per_page", MAX_PER_PAGE, most=MAX_PER_PAGE)
    token = params.get("page_token")
    if token is not None:
        if "page" in params:
            raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {
                "ambiguity_due_to": [{"param_name": "page"}, {"param_name": "page_token"}],
            })  # fmt: skip
        return _from_token(token, path, params, size, now)
    page = number(params, "page", 1)
    if page * size > NUMBERED_ROWS:
        raise Refusal(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "page limit exceeded", {"limit": NUMBERED_ROWS})
    return Page(page, size, (page - 1) * size, None, (page - 1) * size)


def _from_token(token: str, path: str, params: QueryParams, size: int, now: float) -> Page:
    try:
        body = orjson.loads(base64.urlsafe_b64decode(token.encode()))
        bound, after, seen, page, until = body["b"], (int(body["v"]), int(body["i"])), body["s"], body["p"], body["u"]
    except (ValueError, KeyError, TypeError) as error:
        raise bad_param("page_token") from error
    if bound != _bound(path, params):
        raise Refusal(
            400, "TOKEN_BOUND_DATA_MISMATCH", "the page token belongs to another request", {"param_name": "page_token"}
        )
    if until < now:
        raise Refusal(400, "EXPIRED_VALUE", "the page token has expired", {"param_name": "page_token"})
    if seen >= TOKEN_ROWS:
        raise Refusal(400, "PAGINATION_LIMIT_EXCEEDED", "page limit exceeded", {"limit": TOKEN_ROWS})
    return Page(page, size, 0, after, seen)


def next_token(path: str, params: QueryParams, page: Page, last: tuple[int, int], count: int, now: float) -> str:
    """A token for the rows after `last`, valid for 24 hours and for the same parameters."""
    body = {
        "b": _bound(path, params), "v": last[0], "i": last[1], "s": page.seen + count, "p": page.number + 1,
        "u": now + TOKEN_SECONDS,
    }  # fmt: skip
    return base64.urlsafe_b64encode(orjson.dumps(body)).decode()
