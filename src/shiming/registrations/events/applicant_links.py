"""Facts about links to orders on the applicant's own phone, as they stand in the outbox."""

APPLICANT_LINK_MADE = "order.applicant_link_made"
APPLICANT_LINK_CLOSED = "order.applicant_link_closed"
ORDER_BEGUN_AGAIN = "order.begun_again"
CARD_AWAITED = "order.card_awaited"
