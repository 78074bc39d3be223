"""Facts about organisations, as they stand in the outbox."""

ORGANISATION_RECORDED = "organisation.recorded"
ORGANISATION_CHANGED = "organisation.changed"
ORGANISATION_SUSPENDED = "organisation.suspended"
ORGANISATION_RESUMED = "organisation.resumed"
ORGANISATION_CLOSED = "organisation.closed"
