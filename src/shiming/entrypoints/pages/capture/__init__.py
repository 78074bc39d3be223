"""Capture in the browser: the document, the living person, and the number of a SIM card."""
