"""Facts about repudiated lines, as they stand in the outbox."""

LINE_REPUDIATED = "line.repudiated"
REPUDIATION_DECIDED = "line.repudiation_decided"
