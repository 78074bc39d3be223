"""Facts about orders, kept places and reviews, as they stand in the outbox."""

ORDER_OPENED = "order.opened"
ORDER_CHANGED = "order.changed"
ORDER_ABANDONED = "order.abandoned"
PLACE_KEPT = "order.place_kept"
REVIEW_ASKED = "registration_review.asked"
REVIEW_DECIDED = "registration_review.decided"
