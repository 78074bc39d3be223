"""What was collected, kept safe: encrypted evidence and a tamper-evident ledger."""
