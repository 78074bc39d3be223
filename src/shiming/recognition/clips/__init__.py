"""A live clip: decoded within limits, measured in one streaming pass."""
