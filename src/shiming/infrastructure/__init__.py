"""Technical services that every feature shares: settings, clock, database, encryption."""
