"""The routes of transfers, one topic a module."""
