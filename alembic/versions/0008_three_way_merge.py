"""What a delta replaced in staging, what it left at the destination, and what a rollback knew before it began."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staged_changes", sa.Column("former", sa.LargeBinary(), nullable=True))
    op.create_table(
        "merge_findings",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("load", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sides", sa.LargeBinary(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("engagement_id", "destination_id", "load", "source_id", "field"),
    )
    op.create_index("ix_merge_findings_run_id", "merge_findings", ["run_id"])
    op.create_table(
        "undone",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("load", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("kept", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "load", "source_id"),
    )
    for name in ("merge_findings", "undone"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {name} TO tranship_app USING (tenant_id = (SELECT app_tenant()))"
            " WITH CHECK (tenant_id = (SELECT app_tenant()))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO tranship_app")


def downgrade() -> None:
    op.drop_table("undone")
    op.drop_index("ix_merge_findings_run_id", table_name="merge_findings")
    op.drop_table("merge_findings")
    op.drop_column("staged_changes", "former")
