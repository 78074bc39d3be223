"""Scenarios about lines: facts that a lawyer writes, put to the pure rules of features, one topic a module."""
