"""What the worker does for registrations, one topic a module."""
