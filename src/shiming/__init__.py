"""Shiming (实名, "real name"): registers the holder of every telephone line."""
