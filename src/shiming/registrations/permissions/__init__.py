"""What may be asked of registration, one topic a module."""
