"""The desk where people look: who waits, pictures opened one by one, the figures, two findings, a decision."""
