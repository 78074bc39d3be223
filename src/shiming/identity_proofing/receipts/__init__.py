"""Decision receipts: what was decided, by which rules, on which measurements.

One JSON object (RFC 8785) with an Ed25519 signature over everything but its `signature` member. It names
no person: the subject is a keyed pseudonym, the evidence is figures. Its form is documented in
`docs/reference/decision-receipts.md`.
"""
