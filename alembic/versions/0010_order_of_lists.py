"""Indexes in the order of the two lists that grow with a tenant: its engagements and its events."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_engagements_listed", "engagements", ["tenant_id", "created_at", "id"])
    op.create_index("ix_events_listed", "events", ["tenant_id", "sequence"])


def downgrade() -> None:
    op.drop_index("ix_events_listed", table_name="events")
    op.drop_index("ix_engagements_listed", table_name="engagements")
