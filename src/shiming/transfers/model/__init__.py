"""What transfers talk of: pure values, one topic a module."""
