"""Numbers that a state gives to an organisation, one jurisdiction a module."""
