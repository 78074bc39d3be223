"""Staff, machine clients and what they may do: sign-in, sessions, roles, permissions."""
