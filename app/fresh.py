"""Fresh row ids, apart from the tables so that a worker's hot path needs no ORM to name a row."""

import os
import time
from uuid import UUID

from app.domain.ids import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7(time.time_ns() // 1_000_000, os.urandom(10))
