"""A proofing session: evidence, checks, an adjudicated and explained decision."""
