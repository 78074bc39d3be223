"""One file a step, in order. There is no way back: a downgrade would have to destroy records."""
