"""Facts about the status of lines and their stops, as they stand in the outbox."""

LINE_STATUS_CHANGED = "line.status_changed"  # line, from, to, reasons
LINE_STOP_SET = "line.stop_set"  # line, stop, reason, level
LINE_STOP_LIFTED = "line.stop_lifted"  # line, stop, reason
LINE_CONFIRMED = "line.confirmed"  # kind of the leaf only: the event is the change of status
