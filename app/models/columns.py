"""Column shorthands shared by the tables: ids, tenants, instants, JSON and sealed bytes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from app import fresh

new_id = fresh.new_id


def id_column() -> Any:
    return Field(default_factory=new_id, primary_key=True)


def tenant_column() -> Any:
    """The owner of the row; every table that has it is under row-level security."""
    return Field(foreign_key="tenants.id", index=True)


def text_column(default: str | None = "", **options: Any) -> Any:
    return Field(default=default, sa_type=Text, **options)


def instant_column(**options: Any) -> Any:
    """A point in time, always with an offset."""
    return Field(sa_type=DateTime(timezone=True), **options)


def json_column(**options: Any) -> Any:
    return Field(default_factory=dict, sa_type=JSONB, **options)


def sealed_column(**options: Any) -> Any:
    """AES-256-GCM bytes; the clear text exists only in memory."""
    return Field(sa_type=LargeBinary, **options)


def big_column(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


def texts_column(**options: Any) -> Any:
    return Field(default_factory=list, sa_type=ARRAY(Text), **options)


Instant = datetime
