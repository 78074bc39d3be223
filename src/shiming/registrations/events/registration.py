"""Facts about registrations, as they stand in the outbox."""

LINE_REGISTERED = "line.registered"
LINE_TERMINATED = "line.terminated"
