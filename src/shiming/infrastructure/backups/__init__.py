"""Backups of the database: one file each, taken while writers run, restored only into an empty store."""
