"""What Alembic runs: the steps, on the connection and in the transaction of the caller.

The caller is `shiming.infrastructure.migrations`; it has locked the database against a second upgrade.
"""

from alembic import context


def migrate() -> None:
    """Run the steps that are missing."""
    context.configure(
        connection=context.config.attributes["connection"],
        transactional_ddl=True,  # on SQLite too: the caller's transaction is a real one
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name by which Alembic loads this file
    migrate()
