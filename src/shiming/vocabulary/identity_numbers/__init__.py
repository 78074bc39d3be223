"""Numbers that a state gives to a person, one jurisdiction a module."""
