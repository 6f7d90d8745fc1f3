"""What a tenant confirmed and rejected while mapping is kept, so that the next proposal knows it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "field_lessons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("target_object", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_object", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            *("tenant_id", "destination", "target_object", "target", "source", "source_object", "name"),
            name="uq_field_lessons_choice",
        ),
    )
    op.create_index(op.f("ix_field_lessons_tenant_id"), "field_lessons", ["tenant_id"], unique=False)
    op.execute("ALTER TABLE field_lessons ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON field_lessons TO tranship_app USING (tenant_id = (SELECT app_tenant()))"
        " WITH CHECK (tenant_id = (SELECT app_tenant()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON field_lessons TO tranship_app")


def downgrade() -> None:
    op.drop_table("field_lessons")
