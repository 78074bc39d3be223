"""Facts about representatives, as they stand in the outbox."""

REPRESENTATIVE_AWAITED = "order.representative_awaited"
REPRESENTATIVE_NAMED = "order.representative_named"
