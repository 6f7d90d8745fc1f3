"""Lists: the envelope, opaque signed cursors and the keyset that keeps the order stable while rows come and go."""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy import literal, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from app.errors import Invalid

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
MAX_CURSOR = 1000
_SIGNATURE = 12

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """The list envelope. `next_cursor` continues after the last item and is null at the end."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """One page of rows before they become schemas."""

    rows: list[Row]
    next_cursor: str | None

    def page(self, show: Callable[[Row], Item]) -> Page[Item]:
        """The envelope with each row shown by `show`."""
        return Page(
            data=[show(row) for row in self.rows], has_more=self.next_cursor is not None, next_cursor=self.next_cursor
        )


@dataclass(frozen=True, slots=True)
class Paging:
    """What the caller asked for: at most `limit` items after `cursor`. `sign` is the process's keyed hash."""

    limit: int
    cursor: str | None
    sign: Callable[[bytes], bytes] = field(repr=False)

    def after(self, name: str) -> list[Any] | None:
        """The key of the last item seen in the list `name`. Raises Invalid for a cursor that is not this list's."""
        if self.cursor is None:
            return None
        try:
            raw = base64.b64decode(self.cursor + "=" * (-len(self.cursor) % 4), altchars=b"-_", validate=True)
            body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
            if len(self.cursor) > MAX_CURSOR or not hmac.compare_digest(self._signature(name, body), signature):
                raise ValueError("not signed here")
            values: list[Any] = orjson.loads(body)
        except (binascii.Error, ValueError) as wrong:
            raise Invalid(
                "This cursor does not belong to this list; start again without one.",
                errors=[{"pointer": "/query/cursor", "code": "cursor-invalid", "detail": "Not a cursor of this list."}],
            ) from wrong
        return [_read(value) for value in values]

    def next(self, name: str, values: Sequence[Any]) -> str:
        """The cursor that continues after an item with these key values."""
        body = orjson.dumps([_write(value) for value in values])
        return base64.urlsafe_b64encode(body + self._signature(name, body)).rstrip(b"=").decode()

    def _signature(self, name: str, body: bytes) -> bytes:
        return self.sign(b"cursor\0" + name.encode() + b"\0" + body)[:_SIGNATURE]


async def fetch_page(
    session: AsyncSession,
    statement: Select[Any] | SelectOfScalar[Any],
    keys: Sequence[Any],
    paging: Paging,
    *,
    name: str,
    descending: bool = True,
) -> Rows[Any]:
    """One page of `statement` in the order of `keys` (columns, together unique), newest first unless told otherwise.

    `statement` is sqlmodel's select; a key column must be readable from its rows under the column's own name. `name`
    says which list it is, filters included, so that a cursor does not wander.
    """
    after = paging.after(name)
    if after is not None:
        here, last = tuple_(*keys), tuple_(*(literal(value, key.type) for value, key in zip(after, keys, strict=True)))
        statement = statement.where(here < last if descending else here > last)
    statement = statement.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(paging.limit + 1)
    rows: list[Any] = list((await session.exec(statement)).all())
    if len(rows) <= paging.limit:
        return Rows(rows, None)
    rows = rows[: paging.limit]
    return Rows(rows, paging.next(name, [getattr(rows[-1], key.key) for key in keys]))


def _write(value: Any) -> Any:
    if isinstance(value, UUID):
        return {"u": value.hex}
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    return value


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return UUID(value["u"]) if "u" in value else datetime.fromisoformat(value["t"])
