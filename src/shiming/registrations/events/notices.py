"""Facts about notices to holders, as they stand in the outbox."""

NOTICE_QUEUED = "notice.queued"
NOTICE_SENT = "notice.sent"
NOTICE_DELIVERED = "notice.delivered"
NOTICE_FAILED = "notice.failed"
NOTICE_REACHED = "notice.reached"
