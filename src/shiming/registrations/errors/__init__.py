"""Why registration refuses: stable codes with their words, one topic a module."""
