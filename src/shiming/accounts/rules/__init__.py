"""The decisions about accounts, each a pure function."""
