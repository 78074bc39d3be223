"""Who holds which line."""
