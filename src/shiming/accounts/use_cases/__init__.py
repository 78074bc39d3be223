"""What can be done with accounts, clients and sessions."""
