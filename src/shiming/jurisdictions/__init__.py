"""The rules of a jurisdiction as dated, cited data."""
