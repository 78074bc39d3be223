"""The verbs of identity proofing. They take the caller's connection and never commit."""
