"""Work that is done later: a table of jobs in the database of the installation, at least once each."""
