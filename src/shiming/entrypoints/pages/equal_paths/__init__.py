"""Other ways to the same level, for whoever the machine does not fit."""
