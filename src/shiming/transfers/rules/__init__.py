"""Decisions of transfers, each a pure function of its own module."""
