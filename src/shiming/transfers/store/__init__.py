"""Tables of transfers and all their SQL."""
