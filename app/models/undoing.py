"""What a rollback took back, record by record, so that its proof does not depend on the worker that did it."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import sealed_column, text_column, texts_column


class Undone(SQLModel, table=True):
    """One record that a rollback took back. `what`: deleted or restored.

    `before` is the sealed state to which it was restored, `kept` the fields that stay as people changed them, `proof`
    what reading back has found: equal, different, unreadable, or "" before anybody looked.
    """

    __tablename__ = "undone"

    run_id: UUID = Field(primary_key=True)
    load: str = text_column(primary_key=True)
    source_id: str = text_column(primary_key=True)
    tenant_id: UUID = Field()
    record_id: str = text_column()
    what: str = text_column()
    kept: list[str] = texts_column()
    before: bytes | None = sealed_column(default=None)
    proof: str = text_column()
