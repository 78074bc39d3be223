"""The commands of transfers, one topic a module."""
