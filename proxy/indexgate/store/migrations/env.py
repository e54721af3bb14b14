"""Alembic's entry: runs migrations on the connection that the store has opened."""

from alembic import context

from indexgate.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The store begins and ends the transaction, in SQLite too.
    transactional_ddl=True,
)
context.run_migrations()
