"""Read documents: resident identity cards, machine readable zones, codes, portrait, signs of a copy."""
