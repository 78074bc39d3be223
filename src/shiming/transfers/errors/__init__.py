"""Why transfers are refused: stable codes with their words, one topic a module."""
