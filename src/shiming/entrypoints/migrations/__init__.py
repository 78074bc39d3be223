"""Alembic's folder: how the database of an older version becomes the database of this one."""
