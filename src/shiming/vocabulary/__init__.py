"""Pure value types: one official number or concept a module."""
