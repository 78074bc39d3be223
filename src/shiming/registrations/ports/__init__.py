"""What registration asks of the outside, one port a module."""
