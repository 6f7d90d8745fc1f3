"""What an administrator may do, beside what he must do, is kept with each name at a destination."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("destination_names", sa.Column("advice", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("destination_names", "advice")
