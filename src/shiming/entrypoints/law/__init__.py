"""Scenarios about lines: facts that a lawyer writes, put to the pure rules, one topic a module."""
