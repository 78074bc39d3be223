"""All tables of the first release, as each engine writes them.

The statements stand in the two `.sql` files beside this one. They are generated from the schema by
`python -m tools.first_migration` until the first release, and then never change again.
"""

from pathlib import Path

from alembic import op

from shiming.infrastructure.sql_script import statements_of

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything; there are no rows yet."""
    connection = op.get_bind()
    script = Path(__file__).with_name(f"0001_first.{connection.dialect.name}.sql")
    for statement in statements_of(script.read_text(encoding="utf-8")):
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
