"""Decisions of privacy, each a pure function of its own module."""
