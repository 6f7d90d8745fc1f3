"""Ids and cursors compare byte by byte: key order is the same on every server, and no comparison asks the C library."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = {
    "staged": ("object", "source_id"),
    "staged_changes": ("object", "source_id"),
    "ledger": ("source_object", "source_id", "target_object", "part", "outcome"),
    "intents": ("stage", "after_id", "upto_id"),
}


def upgrade() -> None:
    _collate('"C"')


def downgrade() -> None:
    _collate("pg_catalog.default")


def _collate(collation: str) -> None:
    for table, columns in COLUMNS.items():
        changes = ", ".join(f"ALTER COLUMN {name} TYPE text COLLATE {collation}" for name in columns)
        op.execute(f"ALTER TABLE {table} {changes}")
