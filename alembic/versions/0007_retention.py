"""When an engagement's data are to be destroyed, the certificate that they were, and what finds the due ones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("engagements", sa.Column("purge_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("engagements", sa.Column("purge_certificate", postgresql.JSONB(), nullable=True))
    op.create_index(
        "ix_engagements_purge_at", "engagements", ["purge_at"], postgresql_where=sa.text("data_key IS NOT NULL")
    )
    op.execute(
        """
        CREATE FUNCTION due_purges(at timestamptz, most integer)
        RETURNS TABLE (id uuid, tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
        $$ SELECT id, tenant_id FROM engagements
           WHERE purge_at <= at AND data_key IS NOT NULL ORDER BY purge_at LIMIT most $$
        """
    )
    op.execute("REVOKE EXECUTE ON FUNCTION due_purges(timestamptz, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION due_purges(timestamptz, integer) TO tranship_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION due_purges(timestamptz, integer)")
    op.drop_index("ix_engagements_purge_at", table_name="engagements")
    op.drop_column("engagements", "purge_certificate")
    op.drop_column("engagements", "purge_at")
