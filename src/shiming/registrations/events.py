"""Facts that others may want to know, as they stand in the outbox: references only, no number, no person."""

LINE_REGISTERED = "line.registered"
LINE_TERMINATED = "line.terminated"
