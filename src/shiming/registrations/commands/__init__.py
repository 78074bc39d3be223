"""The commands of registration, one topic a module."""
