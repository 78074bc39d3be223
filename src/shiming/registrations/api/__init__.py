"""The routes of registration, one topic a module."""
