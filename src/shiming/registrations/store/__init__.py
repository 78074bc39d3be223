"""Tables of registration and all their SQL."""
