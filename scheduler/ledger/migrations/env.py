"""Alembic's entry: the program hands its own connection in."""

from alembic import context

from scheduler.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
