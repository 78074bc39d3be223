"""Why transfers are refused: stable codes with their words."""
