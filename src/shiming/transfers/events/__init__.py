"""Facts that others may want to know: references only, no number, no person."""
