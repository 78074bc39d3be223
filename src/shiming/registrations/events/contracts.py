"""Facts about terms, confirmations and receipts, as they stand in the ledger and in the outbox."""

TERMS_PUBLISHED = "terms.published"
TERMS_ACCEPTED = "terms.accepted"
CODE_ISSUED = "confirmation.code_issued"  # ledger only
CODE_SHOWN = "confirmation.code_shown"  # ledger only: the code left by its link, if for a preview
CONFIRMATION_REFUSED = "confirmation.refused"  # ledger only
CONFIRMATION_GIVEN = "confirmation.given"
RECEIPT_ISSUED = "receipt.issued"
RECEIPT_SENT = "receipt.sent"  # a message with a link to it goes to the line
