"""What may be asked of transfers."""
