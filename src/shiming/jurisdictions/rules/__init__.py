"""Decisions that concern the rules of a pack alone."""
