"""The verbs of privacy: keep, read and erase evidence; record and verify the ledger."""
