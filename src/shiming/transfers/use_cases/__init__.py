"""The verbs of transfers."""
