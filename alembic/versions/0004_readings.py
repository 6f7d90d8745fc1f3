"""readings"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("load", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("meant", sa.LargeBinary(), nullable=False),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("engagement_id", "destination_id", "load", "source_id"),
    )
    op.execute("ALTER TABLE readings ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON readings TO tranship_app USING (tenant_id = (SELECT app_tenant()))"
        " WITH CHECK (tenant_id = (SELECT app_tenant()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON readings TO tranship_app")


def downgrade() -> None:
    op.drop_table("readings")
