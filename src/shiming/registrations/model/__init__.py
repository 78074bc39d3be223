"""What registration talks of: pure values, one topic a module."""
