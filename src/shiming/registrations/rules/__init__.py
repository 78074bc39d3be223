"""Decisions of registration, each a pure function of its own module."""
