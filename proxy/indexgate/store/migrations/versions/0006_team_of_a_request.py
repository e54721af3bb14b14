"""For which team an exemption is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; what was asked before is for all clients."""
    op.add_column("exemption_requests", sa.Column("team", sa.Text(), nullable=True))
