"""What a proofing session knows and how it can end."""
