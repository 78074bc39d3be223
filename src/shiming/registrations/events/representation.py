"""Facts about representatives, as they stand in the outbox."""

REPRESENTATIVE_NAMED = "order.representative_named"
