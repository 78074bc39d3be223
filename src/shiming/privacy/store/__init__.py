"""Tables of the evidence vault and the ledger, and all their SQL."""
