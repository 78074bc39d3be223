"""Models in, measurements out. Nothing here decides; thresholds live in policy packs."""
