"""Facts about the clocks of holders, as they stand in the outbox."""

CLOCK_STARTED = "holder_clock.started"
CLOCK_REMINDED = "holder_clock.reminded"
CLOCK_STOPPED = "holder_clock.stopped"
CLOCK_ENDED = "holder_clock.ended"
HANDOVER_COMPLETED = "line.handover_completed"
