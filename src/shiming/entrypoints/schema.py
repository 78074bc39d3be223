"""All tables of all features, in one schema: what migrations, backups and tests work on."""
# ruff: noqa: F401 - a module is imported for the tables that it adds to the schema; none may be removed

import shiming.accounts.store.capture_devices
import shiming.accounts.store.tables
import shiming.identity_proofing.held_pieces
import shiming.identity_proofing.reader_states
import shiming.identity_proofing.store
import shiming.infrastructure.idempotency
import shiming.infrastructure.job_queue.tables
import shiming.infrastructure.outbox
import shiming.infrastructure.schedules
import shiming.infrastructure.sealed_secrets
import shiming.infrastructure.webhooks.tables
import shiming.privacy.store.access_log
import shiming.privacy.store.data_keys
import shiming.privacy.store.deletion_receipts
import shiming.privacy.store.disclosures
import shiming.privacy.store.evidence
import shiming.privacy.store.evidence_pins
import shiming.privacy.store.ledger
import shiming.privacy.store.ledger_tree
import shiming.registrations.store.actual_user_links
import shiming.registrations.store.applicant_links
import shiming.registrations.store.bss_endpoints
import shiming.registrations.store.confirmation
import shiming.registrations.store.enterprise_lines
import shiming.registrations.store.holder_clocks
import shiming.registrations.store.iot
import shiming.registrations.store.iot_cards
import shiming.registrations.store.iot_reports
import shiming.registrations.store.notices
import shiming.registrations.store.number_sets
import shiming.registrations.store.number_tables
import shiming.registrations.store.order_moves
import shiming.registrations.store.orders
import shiming.registrations.store.organisations
import shiming.registrations.store.postgresql_function
import shiming.registrations.store.provisioning_tables
import shiming.registrations.store.receipt_links
import shiming.registrations.store.receipts
import shiming.registrations.store.reconciling_tables
import shiming.registrations.store.representation
import shiming.registrations.store.repudiations
import shiming.registrations.store.reviews
import shiming.registrations.store.sims
import shiming.registrations.store.stops
import shiming.registrations.store.terms
import shiming.transfers.store.campaigns
import shiming.transfers.store.cases
import shiming.transfers.store.ports
from shiming.infrastructure.tables import schema

TABLES = tuple(schema.sorted_tables)
