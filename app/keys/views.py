"""Keys as callers see them."""

from app.keys.schemas import Key
from app.models import ApiKey


def show(row: ApiKey) -> Key:
    return Key.model_validate(row, from_attributes=True)
