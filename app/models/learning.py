"""The alias memory: which destination field a tenant gave to a source field, and which it took away again."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import Instant, id_column, instant_column, tenant_column, text_column


class FieldLesson(SQLModel, table=True):
    """One choice, counted. Names only, never values. `target` is empty where the field was said to go nowhere."""

    __tablename__ = "field_lessons"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "destination", "target_object", "target", "source", "source_object", "name",
            name="uq_field_lessons_choice",
        ),
    )  # fmt: skip

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    destination: str = text_column()
    target_object: str = text_column()
    target: str = text_column()
    source: str = text_column()
    source_object: str = text_column()
    name: str = text_column()
    label: str = text_column()
    confirmed: int = Field(default=0)
    rejected: int = Field(default=0)
    updated_at: Instant = instant_column()
