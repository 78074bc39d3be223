"""Facts that others may want to know, one topic a module: references only, no number, no person."""
