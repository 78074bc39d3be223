"""All tables of all features, in one schema: what migrations, backups and tests work on."""

from shiming.infrastructure.tables import schema

TABLES = tuple(schema.sorted_tables)
