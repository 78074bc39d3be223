"""Tables of accounts, clients, credentials and sessions; all SQL of the feature."""
