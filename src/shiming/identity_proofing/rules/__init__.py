"""Pure decisions of identity proofing, one a module."""
