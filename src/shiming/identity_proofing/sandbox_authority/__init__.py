"""A pretended identity authority in a process of its own, for rehearsals and tests."""
