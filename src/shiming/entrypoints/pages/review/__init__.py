"""The desk where people look: who waits, pictures one by one, the figures, two findings, a decision."""
