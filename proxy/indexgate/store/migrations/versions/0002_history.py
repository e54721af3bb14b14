"""Download history, events, owners and repositories over time, the score, what sources cost.

Days are whole days since 1970; `codes` are what the modules named `history_...` make of counts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables and the columns."""
    op.add_column("assessments", sa.Column("score", sa.Text(), nullable=True))
    op.add_column("assessments", sa.Column("score_lines", sa.LargeBinary(), nullable=True))
    _the_history()
    _what_happened()
    _what_sources_cost()


def _row_id() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", number, autoincrement=False, nullable=False)


def _the_history() -> None:
    op.create_table(
        "history_indexes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("history_indexes_id", "history_indexes", ["index_id"], unique=True)
    op.create_table(
        "history_projects",
        _row_id(),
        sa.Column("index_number", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("born", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "history_projects_name", "history_projects", ["index_number", "project"], unique=True
    )
    op.create_table(
        "history_tiles",
        _row_id(),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "history_days",
        sa.Column("index_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("projects", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("index_number", "day"),
    )
    op.create_table(
        "history_movement",
        sa.Column("index_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("consumers", sa.Float(), nullable=True),
        sa.Column("mixes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("index_number", "day"),
    )


def _what_happened() -> None:
    op.create_table(
        "events",
        sa.Column("index_id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("size", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("index_id", "project", "key"),
    )
    op.create_index("events_at", "events", ["at"], unique=False)
    op.create_table(
        "standing",
        sa.Column("index_id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("watched_since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("index_id", "project", "fact"),
    )


def _what_sources_cost() -> None:
    op.create_table(
        "spending",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("bytes_billed", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("spending_month", "spending", ["source", "month"], unique=False)
    op.create_table(
        "source_answers",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "address"),
    )
    op.create_index("source_answers_kept_at", "source_answers", ["kept_at"], unique=False)
