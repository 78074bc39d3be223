CREATE OR REPLACE FUNCTION shiming_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$
;

CREATE TABLE capture_devices (
    reference VARCHAR(40) NOT NULL,
    name VARCHAR(80) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    outlet VARCHAR(80) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    public_key VARCHAR(400) NOT NULL,
    thumbprint VARCHAR(64) NOT NULL,
    enrolled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    enrolled_by VARCHAR(40) NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (reference),
    UNIQUE (thumbprint)
)
;

CREATE INDEX ix_capture_devices_operator ON capture_devices (operator)
;

CREATE TABLE accounts (
    reference VARCHAR(40) NOT NULL,
    user_name VARCHAR(80) NOT NULL,
    person_key VARCHAR(80) NOT NULL,
    roles VARCHAR(200) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    password_hash VARCHAR(200),
    password_set_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (reference),
    UNIQUE (user_name)
)
;

CREATE INDEX ix_accounts_person_key ON accounts (person_key)
;

CREATE TABLE sign_in_failures (
    name_key VARCHAR(80) NOT NULL,
    failures INTEGER NOT NULL,
    last_failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name_key)
)
;

CREATE INDEX ix_sign_in_failures_last_failed_at ON sign_in_failures (last_failed_at)
;

CREATE TABLE one_time_secrets (
    secret_hash VARCHAR(64) NOT NULL,
    purpose VARCHAR(40) NOT NULL,
    account VARCHAR(40) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (secret_hash)
)
;

CREATE INDEX ix_one_time_secrets_expires_at ON one_time_secrets (expires_at)
;

CREATE TABLE machine_clients (
    reference VARCHAR(40) NOT NULL,
    name VARCHAR(80) NOT NULL,
    scopes VARCHAR(600) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    secret_hash VARCHAR(64),
    public_keys TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    tokens_valid_from TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (reference)
)
;

CREATE TABLE token_keys (
    key_id VARCHAR(64) NOT NULL,
    public_key VARCHAR(80) NOT NULL,
    wrapped BYTEA NOT NULL,
    kek_id VARCHAR(80) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (key_id)
)
;

CREATE TABLE proofing_sessions (
    id VARCHAR(40) NOT NULL,
    pack_id VARCHAR(60) NOT NULL,
    pack_version VARCHAR(40) NOT NULL,
    pack_hash VARCHAR(80) NOT NULL,
    channel VARCHAR(20) NOT NULL,
    route VARCHAR(20) NOT NULL,
    category VARCHAR(60) NOT NULL,
    operator VARCHAR(60),
    state VARCHAR(20) NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    progress TEXT NOT NULL,
    evidence TEXT,
    subject VARCHAR(100),
    outcome VARCHAR(20),
    level VARCHAR(60),
    challenge_origin VARCHAR(10),
    decided_at TIMESTAMP WITH TIME ZONE,
    receipt TEXT,
    receipt_hash VARCHAR(80),
    consumed_by VARCHAR(60),
    vouched_at TIMESTAMP WITH TIME ZONE,
    majority_on DATE,
    document_expires_on DATE,
    waiting_since TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
)
;

CREATE INDEX ix_proofing_sessions_subject ON proofing_sessions (subject)
;

CREATE INDEX ix_proofing_sessions_waiting_since ON proofing_sessions (waiting_since)
;

CREATE TABLE idempotency_keys (
    client VARCHAR(80) NOT NULL,
    key VARCHAR(80) NOT NULL,
    request_hash VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    response TEXT NOT NULL,
    headers TEXT DEFAULT '{}' NOT NULL,
    response_hash VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (client, key)
)
;

CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)
;

CREATE TABLE jobs (
    job_id VARCHAR(36) NOT NULL,
    kind VARCHAR(80) NOT NULL,
    payload TEXT NOT NULL,
    unique_key VARCHAR(200),
    state VARCHAR(10) NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER NOT NULL,
    lease VARCHAR(36),
    worker VARCHAR(36),
    enqueued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    failed_at TIMESTAMP WITH TIME ZONE,
    error_code VARCHAR(80),
    error_type VARCHAR(80),
    PRIMARY KEY (job_id),
    CONSTRAINT jobs_state CHECK (state IN ('waiting', 'running', 'dead')),
    CONSTRAINT jobs_lease CHECK ((state = 'running') = (lease IS NOT NULL))
)
;

CREATE INDEX jobs_dead ON jobs (job_id) WHERE state = 'dead'
;

CREATE INDEX jobs_due ON jobs (kind, due_at) WHERE state <> 'dead'
;

CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL AND state <> 'dead'
;

CREATE TABLE workers (
    worker VARCHAR(36) NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    in_hand INTEGER NOT NULL,
    PRIMARY KEY (worker)
)
;

CREATE TABLE outbox (
    event_id VARCHAR(36) NOT NULL,
    type VARCHAR(80) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    facts TEXT NOT NULL,
    relayed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (event_id)
)
;

CREATE INDEX outbox_by_time ON outbox (occurred_at, event_id)
;

CREATE INDEX outbox_unrelayed ON outbox (occurred_at) WHERE relayed_at IS NULL
;

CREATE TABLE job_schedules (
    name VARCHAR(80) NOT NULL,
    rule VARCHAR(120) NOT NULL,
    last_slot TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name)
)
;

CREATE TABLE sealed_secrets (
    name VARCHAR(120) NOT NULL,
    kek_id VARCHAR(80) NOT NULL,
    wrapped_key BYTEA NOT NULL,
    ciphertext BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name)
)
;

CREATE INDEX ix_sealed_secrets_kek_id ON sealed_secrets (kek_id)
;

CREATE TABLE webhooks (
    webhook_id VARCHAR(40) NOT NULL,
    url VARCHAR(500) NOT NULL,
    types TEXT NOT NULL,
    operator VARCHAR(40) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    disabled_why VARCHAR(40),
    delivered_at TIMESTAMP WITH TIME ZONE,
    failed_at TIMESTAMP WITH TIME ZONE,
    failure VARCHAR(40),
    silences INTEGER DEFAULT '0' NOT NULL,
    resting_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (webhook_id)
)
;

CREATE TABLE access_log (
    access_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor VARCHAR(80) NOT NULL,
    what VARCHAR(20) NOT NULL,
    purpose VARCHAR(40) NOT NULL,
    case_reference VARCHAR(80) NOT NULL,
    evidence_id VARCHAR(40) NOT NULL,
    evidence_kind VARCHAR(40) NOT NULL,
    disclosure_id VARCHAR(40),
    recipient VARCHAR(200),
    visible_from TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (access_id)
)
;

CREATE INDEX ix_access_log_at ON access_log (at)
;

CREATE INDEX ix_access_log_subject ON access_log (subject, at, access_id)
;

CREATE TRIGGER access_log_no_update BEFORE UPDATE ON access_log FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('who looked is not rewritten')
;

CREATE TABLE data_keys (
    data_key_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    purpose VARCHAR(40) NOT NULL,
    retention_class VARCHAR(40) NOT NULL,
    case_reference VARCHAR(40) NOT NULL,
    kek_id VARCHAR(40) NOT NULL,
    wrapped BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    destroyed_at TIMESTAMP WITH TIME ZONE,
    exported BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (data_key_id),
    CONSTRAINT key_or_tombstone CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
)
;

CREATE INDEX ix_data_keys_kek_id ON data_keys (kek_id)
;

CREATE INDEX ix_data_keys_unexported ON data_keys (data_key_id) WHERE destroyed_at IS NOT NULL AND NOT exported
;

CREATE UNIQUE INDEX uq_data_keys_live ON data_keys (subject, purpose, retention_class, case_reference, operator) WHERE destroyed_at IS NULL
;

CREATE TRIGGER data_keys_stay_destroyed BEFORE UPDATE ON data_keys FOR EACH ROW WHEN (OLD.wrapped IS NULL AND (NEW.wrapped IS NOT NULL OR NEW.destroyed_at <> OLD.destroyed_at)) EXECUTE FUNCTION shiming_refuse_change('a destroyed key does not come back')
;

CREATE TRIGGER data_keys_no_delete BEFORE DELETE ON data_keys FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a tombstone stays')
;

CREATE TABLE deletion_receipts (
    receipt_id VARCHAR(40) NOT NULL,
    data_key_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    case_reference VARCHAR(40) NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (receipt_id)
)
;

CREATE INDEX ix_deletion_receipts_case_reference ON deletion_receipts (case_reference)
;

CREATE INDEX ix_deletion_receipts_data_key_id ON deletion_receipts (data_key_id)
;

CREATE INDEX ix_deletion_receipts_subject ON deletion_receipts (subject)
;

CREATE TRIGGER deletion_receipts_no_update BEFORE UPDATE ON deletion_receipts FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a deletion receipt stays as it was signed')
;

CREATE TRIGGER deletion_receipts_no_delete BEFORE DELETE ON deletion_receipts FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a deletion receipt stays')
;

CREATE TABLE disclosures (
    disclosure_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    purpose VARCHAR(40) NOT NULL,
    recipient VARCHAR(200) NOT NULL,
    legal_basis VARCHAR(200) NOT NULL,
    case_reference VARCHAR(80) NOT NULL,
    deferred_until TIMESTAMP WITH TIME ZONE,
    requested_by VARCHAR(80) NOT NULL,
    requester_key VARCHAR(120) NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approvals_required INTEGER NOT NULL,
    approve_before TIMESTAMP WITH TIME ZONE NOT NULL,
    execution_hours INTEGER NOT NULL,
    execute_before TIMESTAMP WITH TIME ZONE,
    executed_by VARCHAR(80),
    executed_at TIMESTAMP WITH TIME ZONE,
    refused_by VARCHAR(80),
    refused_at TIMESTAMP WITH TIME ZONE,
    refused_why VARCHAR(200),
    expired_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    PRIMARY KEY (disclosure_id),
    CONSTRAINT executed_after_approval CHECK (executed_at IS NULL OR execute_before IS NOT NULL),
    CONSTRAINT executed_or_refused CHECK (executed_at IS NULL OR refused_at IS NULL)
)
;

CREATE INDEX ix_disclosures_requested ON disclosures (requested_at, disclosure_id)
;

CREATE INDEX ix_disclosures_subject ON disclosures (subject)
;

CREATE TRIGGER disclosures_end_once BEFORE UPDATE ON disclosures FOR EACH ROW WHEN (OLD.executed_at IS NOT NULL OR OLD.refused_at IS NOT NULL OR OLD.expired_at IS NOT NULL) EXECUTE FUNCTION shiming_refuse_change('a disclosure ends once')
;

CREATE TRIGGER disclosures_no_delete BEFORE DELETE ON disclosures FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a disclosure stays on record')
;

CREATE TABLE evidence_pins (
    case_reference VARCHAR(64) NOT NULL,
    pinned_for VARCHAR(64) NOT NULL,
    pinned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (case_reference, pinned_for)
)
;

CREATE INDEX ix_evidence_pins_for ON evidence_pins (pinned_for)
;

CREATE TABLE ledger_lanes (
    lane INTEGER GENERATED BY DEFAULT AS IDENTITY,
    sequence BIGINT NOT NULL,
    mac VARCHAR(64) NOT NULL,
    key_id VARCHAR(40) NOT NULL,
    PRIMARY KEY (lane)
)
;

CREATE TRIGGER ledger_lanes_no_delete BEFORE DELETE ON ledger_lanes FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a lane stays')
;

CREATE TRIGGER ledger_lanes_forward BEFORE UPDATE ON ledger_lanes FOR EACH ROW WHEN (NEW.sequence <> OLD.sequence + 1 OR NEW.lane <> OLD.lane) EXECUTE FUNCTION shiming_refuse_change('a lane moves forward by one')
;

CREATE TABLE ledger_leaves (
    operator VARCHAR(40) NOT NULL,
    lane INTEGER NOT NULL,
    sequence BIGINT NOT NULL,
    leaf TEXT NOT NULL,
    hash VARCHAR(64) NOT NULL,
    mac VARCHAR(64) NOT NULL,
    key_id VARCHAR(40) NOT NULL,
    PRIMARY KEY (operator, lane, sequence)
)
 PARTITION BY HASH (operator)
;

CREATE INDEX ix_ledger_leaves_lane ON ledger_leaves (lane, sequence)
;

CREATE TABLE ledger_leaves_p0 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 0)
;

CREATE TABLE ledger_leaves_p1 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 1)
;

CREATE TABLE ledger_leaves_p2 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 2)
;

CREATE TABLE ledger_leaves_p3 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 3)
;

CREATE TABLE ledger_leaves_p4 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 4)
;

CREATE TABLE ledger_leaves_p5 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 5)
;

CREATE TABLE ledger_leaves_p6 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 6)
;

CREATE TABLE ledger_leaves_p7 PARTITION OF ledger_leaves FOR VALUES WITH (MODULUS 8, REMAINDER 7)
;

CREATE TRIGGER ledger_leaves_no_update BEFORE UPDATE ON ledger_leaves FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('the ledger is append-only')
;

CREATE TRIGGER ledger_leaves_no_delete BEFORE DELETE ON ledger_leaves FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('the ledger is append-only')
;

CREATE TABLE ledger_batches (
    batch INTEGER NOT NULL,
    first_index BIGINT NOT NULL,
    size BIGINT NOT NULL,
    root VARCHAR(64) NOT NULL,
    previous_root VARCHAR(64) NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (batch),
    CONSTRAINT a_batch_has_leaves CHECK (size > first_index),
    UNIQUE (size)
)
;

CREATE TRIGGER ledger_batches_no_update BEFORE UPDATE ON ledger_batches FOR EACH ROW WHEN (NEW.batch <> OLD.batch OR NEW.first_index <> OLD.first_index OR NEW.size <> OLD.size OR NEW.root <> OLD.root OR NEW.previous_root <> OLD.previous_root OR NEW.sealed_at <> OLD.sealed_at OR substr(NEW.checkpoint, 1, length(OLD.checkpoint)) <> OLD.checkpoint) EXECUTE FUNCTION shiming_refuse_change('a checkpoint only gains signatures')
;

CREATE TRIGGER ledger_batches_no_delete BEFORE DELETE ON ledger_batches FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a checkpoint stays')
;

CREATE TABLE ledger_runs (
    lane INTEGER NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    first_index BIGINT NOT NULL,
    batch INTEGER NOT NULL,
    PRIMARY KEY (lane, first_sequence),
    UNIQUE (first_index)
)
;

CREATE INDEX ix_ledger_runs_batch ON ledger_runs (batch)
;

CREATE TRIGGER ledger_runs_no_update BEFORE UPDATE ON ledger_runs FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a leaf keeps its place in the tree')
;

CREATE TRIGGER ledger_runs_no_delete BEFORE DELETE ON ledger_runs FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a leaf keeps its place in the tree')
;

CREATE TABLE ledger_tiles (
    level INTEGER NOT NULL,
    tile BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, tile)
)
;

CREATE TRIGGER ledger_tiles_no_delete BEFORE DELETE ON ledger_tiles FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('a tile stays')
;

CREATE TRIGGER ledger_tiles_only_grow BEFORE UPDATE ON ledger_tiles FOR EACH ROW WHEN (NEW.level <> OLD.level OR NEW.tile <> OLD.tile OR length(NEW.hashes) < length(OLD.hashes) OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes) EXECUTE FUNCTION shiming_refuse_change('a tile only grows')
;

CREATE TABLE number_blocks (
    block_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    first VARCHAR(16) NOT NULL,
    last VARCHAR(16) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    excluded BOOLEAN NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (block_id),
    CONSTRAINT uq_number_blocks UNIQUE (first, last, excluded),
    CONSTRAINT range_in_order CHECK (first <= last AND length(first) = length(last))
)
;

CREATE INDEX ix_number_blocks_range ON number_blocks (first, last)
;

CREATE TABLE numbers_held (
    number VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    state VARCHAR(20) NOT NULL,
    held_for VARCHAR(64),
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (number)
)
;

CREATE INDEX ix_numbers_held_for ON numbers_held (held_for)
;

CREATE INDEX ix_numbers_held_until ON numbers_held (until)
;

CREATE TABLE enterprise_contracts (
    contract_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    organisation VARCHAR(40) NOT NULL,
    handler_session VARCHAR(64) NOT NULL,
    lines_confirmed INTEGER NOT NULL,
    lines_entered INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    terms_version VARCHAR(40),
    terms_hash VARCHAR(80),
    terms_accepted_at TIMESTAMP WITH TIME ZONE,
    terms_channel VARCHAR(20),
    terms_language VARCHAR(8),
    PRIMARY KEY (contract_id),
    CONSTRAINT lines_as_confirmed CHECK (lines_entered BETWEEN 0 AND lines_confirmed)
)
;

CREATE INDEX ix_enterprise_contracts_organisation ON enterprise_contracts (organisation)
;

CREATE TABLE enterprise_imports (
    contract_id VARCHAR(40) NOT NULL,
    file_hash VARCHAR(80) NOT NULL,
    import_id VARCHAR(40) NOT NULL,
    refused INTEGER NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (contract_id, file_hash)
)
;

CREATE TABLE enterprise_lines (
    number VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    contract_id VARCHAR(40) NOT NULL,
    organisation VARCHAR(40) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    product_class VARCHAR(60) NOT NULL,
    user_reference VARCHAR(80) NOT NULL,
    state VARCHAR(20) NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    iccid VARCHAR(20),
    contact_evidence VARCHAR(64),
    line_id VARCHAR(40),
    session_id VARCHAR(64),
    subject VARCHAR(80),
    vacated_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (number)
)
;

CREATE INDEX ix_enterprise_lines_contract ON enterprise_lines (contract_id, number)
;

CREATE INDEX ix_enterprise_lines_line ON enterprise_lines (line_id) WHERE line_id IS NOT NULL
;

CREATE INDEX ix_enterprise_lines_user ON enterprise_lines (subject) WHERE subject IS NOT NULL
;

CREATE INDEX ix_enterprise_lines_vacated ON enterprise_lines (vacated_until) WHERE vacated_until IS NOT NULL
;

CREATE TABLE line_uses (
    line_id VARCHAR(40) NOT NULL,
    position INTEGER NOT NULL,
    contract_id VARCHAR(40) NOT NULL,
    user_reference VARCHAR(80) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    used_from TIMESTAMP WITH TIME ZONE NOT NULL,
    used_to TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (line_id, position),
    UNIQUE (session_id)
)
;

CREATE INDEX ix_line_uses_contract_id ON line_uses (contract_id)
;

CREATE TABLE notices (
    notice_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    line_id VARCHAR(40),
    contact_evidence VARCHAR(64),
    subject VARCHAR(80) NOT NULL,
    template VARCHAR(60) NOT NULL,
    text_zh TEXT NOT NULL,
    text_en TEXT NOT NULL,
    dedupe_key VARCHAR(160) NOT NULL,
    about VARCHAR(64),
    campaign VARCHAR(80),
    state VARCHAR(20) NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    channel_reference VARCHAR(120),
    failure VARCHAR(60),
    code_hash VARCHAR(128),
    code_attempts INTEGER DEFAULT '0' NOT NULL,
    PRIMARY KEY (notice_id),
    CONSTRAINT uq_notices_dedupe UNIQUE (operator, dedupe_key)
)
;

CREATE INDEX ix_notices_about ON notices (about)
;

CREATE INDEX ix_notices_campaign ON notices (operator, campaign, notice_id)
;

CREATE INDEX ix_notices_due ON notices (due_at) WHERE state = 'queued'
;

CREATE TABLE actual_user_links (
    token_hash VARCHAR(64) NOT NULL,
    number VARCHAR(64) NOT NULL,
    contract_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sessions INTEGER NOT NULL,
    session_id VARCHAR(64),
    closed_at TIMESTAMP WITH TIME ZONE,
    notice_id VARCHAR(40),
    PRIMARY KEY (token_hash)
)
;

CREATE INDEX ix_actual_user_links_notice_id ON actual_user_links (notice_id)
;

CREATE INDEX ix_actual_user_links_number ON actual_user_links (number)
;

CREATE TABLE line_orders (
    session_id VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    entry VARCHAR(20) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    product_class VARCHAR(60) NOT NULL,
    channel VARCHAR(20) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    identifier VARCHAR(64),
    holder_kind VARCHAR(20) NOT NULL,
    organisation VARCHAR(40),
    category VARCHAR(60),
    representative_role VARCHAR(20),
    representative_session VARCHAR(64),
    representative_subject VARCHAR(80),
    authority_evidence VARCHAR(64),
    representative_relation VARCHAR(20),
    awaited_role VARCHAR(20),
    awaited_relation VARCHAR(20),
    awaited_session VARCHAR(64),
    contract VARCHAR(40),
    iccid VARCHAR(20),
    imsi VARCHAR(15),
    sim_form VARCHAR(10),
    install_address VARCHAR(64),
    terms_version VARCHAR(40),
    terms_hash VARCHAR(80),
    terms_accepted_at TIMESTAMP WITH TIME ZONE,
    terms_channel VARCHAR(20),
    terms_language VARCHAR(8),
    confirmed_identifier VARCHAR(64),
    confirmation_method VARCHAR(20),
    confirmed_at TIMESTAMP WITH TIME ZONE,
    cap_subject VARCHAR(80),
    cap_scope VARCHAR(80),
    cap_name VARCHAR(60),
    cap_reserved_until TIMESTAMP WITH TIME ZONE,
    review VARCHAR(64),
    donor_reference VARCHAR(40),
    donor_identifier VARCHAR(64),
    donor_until TIMESTAMP WITH TIME ZONE,
    delivery_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (session_id)
)
;

CREATE INDEX ix_line_orders_cap ON line_orders (cap_subject, cap_reserved_until)
;

CREATE INDEX ix_line_orders_organisation ON line_orders (organisation)
;

CREATE INDEX ix_line_orders_representative_session ON line_orders (representative_session)
;

CREATE TABLE sims (
    iccid VARCHAR(20) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    imsi VARCHAR(15) NOT NULL,
    form VARCHAR(10) NOT NULL,
    state VARCHAR(10) NOT NULL,
    line_id VARCHAR(40),
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (iccid),
    CONSTRAINT of_a_line_unless_in_stock CHECK ((state = 'stock') = (line_id IS NULL)),
    UNIQUE (imsi)
)
;

CREATE TABLE sim_uses (
    line_id VARCHAR(40) NOT NULL,
    position INTEGER NOT NULL,
    operator VARCHAR(40) NOT NULL,
    iccid VARCHAR(20) NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (line_id, position),
    UNIQUE (iccid)
)
;

CREATE TABLE sim_holds (
    iccid VARCHAR(20) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    line_id VARCHAR(40),
    until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (iccid),
    CONSTRAINT runs_out_unless_of_a_line CHECK ((line_id IS NULL) = (until IS NOT NULL))
)
;

CREATE INDEX ix_sim_holds_session ON sim_holds (session_id)
;

CREATE TABLE applicant_links (
    token_hash VARCHAR(64) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_why VARCHAR(20),
    sessions INTEGER NOT NULL,
    card_wrong INTEGER NOT NULL,
    PRIMARY KEY (token_hash)
)
;

CREATE INDEX ix_applicant_links_session_id ON applicant_links (session_id)
;

CREATE TABLE bss_endpoints (
    operator VARCHAR(40) NOT NULL,
    url VARCHAR(500) NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (operator)
)
;

CREATE TABLE confirmation_codes (
    reference VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    lines INTEGER NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    covers VARCHAR(128) NOT NULL,
    code_hash VARCHAR(128) NOT NULL,
    link_hash VARCHAR(64) NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    issued INTEGER NOT NULL,
    wrong INTEGER NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (reference),
    UNIQUE (link_hash)
)
;

CREATE TABLE contract_confirmations (
    contract VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    lines INTEGER NOT NULL,
    method VARCHAR(20) NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (contract)
)
;

CREATE TABLE holder_clocks (
    line_id VARCHAR(40) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    due_on DATE NOT NULL,
    state VARCHAR(20) NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (line_id, kind)
)
;

CREATE INDEX ix_holder_clocks_due ON holder_clocks (kind, state, due_on, line_id)
;

CREATE TABLE later_proofs (
    session_id VARCHAR(64) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (session_id)
)
;

CREATE INDEX ix_later_proofs_line_id ON later_proofs (line_id)
;

CREATE TABLE iot_assessments (
    assessment_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    organisation VARCHAR(40) NOT NULL,
    result VARCHAR(20) NOT NULL,
    assessor VARCHAR(80) NOT NULL,
    evidence VARCHAR(64) NOT NULL,
    assessed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (assessment_id)
)
;

CREATE INDEX ix_iot_assessments ON iot_assessments (organisation, assessed_at)
;

CREATE TABLE iot_contracts (
    contract_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    organisation VARCHAR(40) NOT NULL,
    scene VARCHAR(60) NOT NULL,
    traffic VARCHAR(20) NOT NULL,
    cards_max INTEGER NOT NULL,
    terms TEXT NOT NULL,
    channel VARCHAR(20) NOT NULL,
    resale_clause BOOLEAN NOT NULL,
    sells_devices BOOLEAN NOT NULL,
    handler_session VARCHAR(64) NOT NULL,
    assessment VARCHAR(40),
    status VARCHAR(20) NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (contract_id)
)
;

CREATE INDEX ix_iot_contracts_operator ON iot_contracts (operator, contract_id)
;

CREATE INDEX ix_iot_contracts_organisation ON iot_contracts (organisation)
;

CREATE TABLE lines (
    line_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    number VARCHAR(64) NOT NULL,
    kind VARCHAR(20) DEFAULT 'mobile' NOT NULL,
    product_class VARCHAR(60) NOT NULL,
    cap_scope VARCHAR(80) NOT NULL,
    cap_name VARCHAR(60),
    subject VARCHAR(80) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    position INTEGER DEFAULT '1' NOT NULL,
    status VARCHAR(20) NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    terminated_at TIMESTAMP WITH TIME ZONE,
    terminated_why VARCHAR(80),
    PRIMARY KEY (line_id, operator),
    CONSTRAINT terminated_when CHECK ((status = 'terminated') = (terminated_at IS NOT NULL)),
    CONSTRAINT uq_lines_session UNIQUE (session_id, position, operator)
)
 PARTITION BY HASH (operator)
;

CREATE INDEX ix_lines_holder ON lines (subject, registered_at, line_id)
;

CREATE INDEX ix_lines_number_ended ON lines (number) WHERE status = 'terminated'
;

CREATE UNIQUE INDEX ux_lines_number_in_use ON lines (number, operator) WHERE status != 'terminated'
;

CREATE TABLE lines_p0 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 0)
;

CREATE TABLE lines_p1 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 1)
;

CREATE TABLE lines_p2 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 2)
;

CREATE TABLE lines_p3 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 3)
;

CREATE TABLE lines_p4 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 4)
;

CREATE TABLE lines_p5 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 5)
;

CREATE TABLE lines_p6 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 6)
;

CREATE TABLE lines_p7 PARTITION OF lines FOR VALUES WITH (MODULUS 8, REMAINDER 7)
;

CREATE OR REPLACE FUNCTION shiming_register_line(p_line_id text, p_operator text, p_number text, p_kind text, p_status text, p_product_class text, p_cap_scope text, p_cap_name text, p_cap integer, p_counter_version integer, p_day text, p_position integer, p_place_kept boolean, p_pooled boolean, p_iccid text, p_subject text, p_session_id text, p_registered_at timestamptz, p_pack_hash text, p_receipt text, p_lane integer, p_sequence bigint, p_leaf text, p_leaf_hash text, p_leaf_mac text, p_head_mac text, p_mac_key_id text, p_event_id text, p_event_facts text, p_client text, p_key text, p_request_hash text, p_response text, p_headers text, p_response_hash text)
RETURNS integer LANGUAGE plpgsql AS $body$
DECLARE
  v_active integer;
BEGIN
  IF p_key IS NOT NULL THEN
    INSERT INTO idempotency_keys (client, key, request_hash, status, response, headers, response_hash,
                                  created_at)
    VALUES (p_client, p_key, p_request_hash, 201, p_response, p_headers, p_response_hash, p_registered_at)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'REPEATED' USING ERRCODE = 'SM001';
    END IF;
  END IF;

  IF p_position = 1 THEN
    UPDATE proofing_sessions SET consumed_by = p_line_id WHERE id = p_session_id AND consumed_by IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'SESSION_CONSUMED' USING ERRCODE = 'SM001';
    END IF;
  END IF;

  IF p_cap_name IS NOT NULL THEN
    INSERT INTO cap_counters AS held (subject, cap_scope, cap_name, active, cap, version, last_registered_at,
                                      day, day_count)
    VALUES (p_subject, p_cap_scope, p_cap_name, 1, p_cap, 1, p_registered_at, p_day, 1)
    ON CONFLICT (subject, cap_scope, cap_name)
    DO UPDATE SET active = held.active + 1, cap = p_cap, version = held.version + 1,
      last_registered_at = p_registered_at, day = p_day,
      day_count = CASE WHEN held.day = p_day THEN held.day_count + 1 ELSE 1 END
    WHERE held.version = p_counter_version AND held.active < p_cap
    RETURNING active INTO v_active;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'COUNTER_MOVED' USING ERRCODE = 'SM001';
    END IF;
  END IF;

  IF p_place_kept THEN
    UPDATE line_orders SET cap_reserved_until = NULL WHERE session_id = p_session_id;
  END IF;

  INSERT INTO numbers_in_use (number, operator, line_id) VALUES (p_number, p_operator, p_line_id)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'NUMBER_TAKEN' USING ERRCODE = 'SM001';
  END IF;
  -- whoever keeps a number holds its row above until the hold is committed: it is seen here
  IF p_pooled THEN
    PERFORM FROM numbers_held h WHERE h.number = p_number AND h.until > p_registered_at
      AND (h.state = 'quarantine' OR h.held_for NOT IN (p_session_id, p_subject));
    IF FOUND THEN
      RAISE EXCEPTION 'NUMBER_HELD' USING ERRCODE = 'SM001';
    END IF;
  END IF;

  IF p_iccid IS NOT NULL THEN
    INSERT INTO sim_holds AS held (iccid, operator, session_id, line_id)
    VALUES (p_iccid, p_operator, p_session_id, p_line_id)
    ON CONFLICT (iccid) DO UPDATE
    SET operator = p_operator, session_id = p_session_id, line_id = p_line_id, until = NULL
    WHERE held.line_id IS NULL AND (held.session_id = p_session_id OR held.until <= p_registered_at);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'SIM_TAKEN' USING ERRCODE = 'SM001';
    END IF;
  END IF;

  IF p_lane IS NOT NULL THEN
    UPDATE ledger_lanes SET sequence = p_sequence, mac = p_head_mac, key_id = p_mac_key_id
    WHERE lane = p_lane AND sequence = p_sequence - 1;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'LANE_MOVED' USING ERRCODE = 'SM001';
    END IF;
  END IF;

  -- one statement: the executor is started once for the rows that nothing can refuse any more
  WITH leaf AS (
    INSERT INTO ledger_leaves (operator, lane, sequence, leaf, hash, mac, key_id)
    SELECT p_operator, p_lane, p_sequence, p_leaf, p_leaf_hash, p_leaf_mac, p_mac_key_id
    WHERE p_lane IS NOT NULL
  ), line AS (
    INSERT INTO lines (line_id, operator, number, kind, product_class, cap_scope, cap_name, subject,
                       session_id, position, status, registered_at)
    VALUES (p_line_id, p_operator, p_number, p_kind, p_product_class, p_cap_scope, p_cap_name, p_subject,
            p_session_id, p_position, p_status, p_registered_at)
  ), act AS (
    INSERT INTO registrations (line_id, act, operator, kind, session_id, pack_hash, registered_at, receipt)
    VALUES (p_line_id, 1, p_operator, 'registered', p_session_id, p_pack_hash, p_registered_at, p_receipt)
  )
  INSERT INTO outbox (event_id, type, subject, operator, occurred_at, facts)
  VALUES (p_event_id, 'line.registered', p_line_id, p_operator, p_registered_at, p_event_facts);
  RETURN v_active;
END
$body$
;

CREATE TABLE registrations (
    line_id VARCHAR(40) NOT NULL,
    act INTEGER NOT NULL,
    operator VARCHAR(40) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    pack_hash VARCHAR(80) NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (line_id, act, operator)
)
 PARTITION BY HASH (operator)
;

CREATE TABLE registrations_p0 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 0)
;

CREATE TABLE registrations_p1 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 1)
;

CREATE TABLE registrations_p2 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 2)
;

CREATE TABLE registrations_p3 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 3)
;

CREATE TABLE registrations_p4 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 4)
;

CREATE TABLE registrations_p5 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 5)
;

CREATE TABLE registrations_p6 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 6)
;

CREATE TABLE registrations_p7 PARTITION OF registrations FOR VALUES WITH (MODULUS 8, REMAINDER 7)
;

CREATE TABLE cap_counters (
    subject VARCHAR(80) NOT NULL,
    cap_scope VARCHAR(80) NOT NULL,
    cap_name VARCHAR(60) NOT NULL,
    active INTEGER NOT NULL,
    cap INTEGER NOT NULL,
    version INTEGER DEFAULT '0' NOT NULL,
    last_registered_at TIMESTAMP WITH TIME ZONE,
    day VARCHAR(10),
    day_count INTEGER DEFAULT '0' NOT NULL,
    PRIMARY KEY (subject, cap_scope, cap_name),
    CONSTRAINT within_cap CHECK (active BETWEEN 0 AND cap)
)
;

CREATE INDEX ix_cap_counters_active ON cap_counters (cap_name, active)
;

CREATE TABLE numbers_in_use (
    number VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    PRIMARY KEY (number)
)
;

CREATE TABLE iot_cards (
    iccid VARCHAR(20) NOT NULL,
    imsi VARCHAR(15) NOT NULL,
    number VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    state VARCHAR(20) NOT NULL,
    contract VARCHAR(40),
    imei VARCHAR(15),
    line_id VARCHAR(40),
    actual_user VARCHAR(80),
    actual_session VARCHAR(64),
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sold_at TIMESTAMP WITH TIME ZONE,
    returned_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (iccid),
    CONSTRAINT uq_iot_cards_device UNIQUE (operator, imei),
    CONSTRAINT sold_under_a_contract CHECK ((state = 'stock') = (contract IS NULL)),
    UNIQUE (imsi),
    UNIQUE (number),
    UNIQUE (line_id),
    UNIQUE (actual_session)
)
;

CREATE INDEX ix_iot_cards_contract ON iot_cards (contract, iccid)
;

CREATE INDEX ix_iot_cards_stock ON iot_cards (operator, state)
;

CREATE TABLE iot_end_users (
    contract VARCHAR(40) NOT NULL,
    device_serial VARCHAR(80) NOT NULL,
    iccid VARCHAR(20) NOT NULL,
    buyer VARCHAR(80),
    session VARCHAR(64),
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (contract, device_serial),
    UNIQUE (iccid)
)
;

CREATE TABLE iot_stock_statements (
    contract VARCHAR(40) NOT NULL,
    "on" DATE NOT NULL,
    sold INTEGER NOT NULL,
    stock INTEGER NOT NULL,
    stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (contract, "on"),
    CONSTRAINT counts CHECK (sold >= 0 AND stock >= 0)
)
;

CREATE TABLE iot_resale_cases (
    case_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    organisation VARCHAR(40) NOT NULL,
    contract VARCHAR(40) NOT NULL,
    iccid VARCHAR(20),
    evidence VARCHAR(64) NOT NULL,
    state VARCHAR(20) NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by VARCHAR(80),
    liable VARCHAR(40),
    appeal VARCHAR(64),
    version INTEGER NOT NULL,
    PRIMARY KEY (case_id)
)
;

CREATE INDEX ix_iot_resale_cases_organisation ON iot_resale_cases (organisation)
;

CREATE TABLE number_sets (
    entry_id VARCHAR(40) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    number VARCHAR(64) NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_until TIMESTAMP WITH TIME ZONE,
    own BOOLEAN NOT NULL,
    authorised_by VARCHAR(64),
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (entry_id),
    CONSTRAINT validity_in_order CHECK (valid_until IS NULL OR valid_until >= valid_from)
)
;

CREATE INDEX ix_number_sets_line ON number_sets (line_id, valid_until, valid_from, number)
;

CREATE TABLE order_moves (
    former VARCHAR(64) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (former)
)
;

CREATE INDEX ix_order_moves_session_id ON order_moves (session_id)
;

CREATE TABLE organisations (
    organisation_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    code VARCHAR(40) NOT NULL,
    name VARCHAR(200) NOT NULL,
    state VARCHAR(20) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    licence_evidence VARCHAR(64),
    legal_representative_evidence VARCHAR(64),
    handler_session VARCHAR(64),
    handler_subject VARCHAR(80),
    power_of_attorney_evidence VARCHAR(64),
    power_of_attorney_from TIMESTAMP WITH TIME ZONE,
    power_of_attorney_until TIMESTAMP WITH TIME ZONE,
    responsible_evidence VARCHAR(64),
    responsible_session VARCHAR(64),
    suspended_why VARCHAR(80),
    version INTEGER NOT NULL,
    PRIMARY KEY (organisation_id)
)
;

CREATE UNIQUE INDEX ux_organisations_code ON organisations (code, operator) WHERE state != 'closed'
;

CREATE TABLE network_services (
    service_id VARCHAR(120) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    line_id VARCHAR(40),
    last_sequence INTEGER NOT NULL,
    occasion VARCHAR(64),
    wanted TEXT,
    confirmed TEXT,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (service_id, operator)
)
;

CREATE TABLE line_profiles (
    line_id VARCHAR(40) NOT NULL,
    source VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    profile TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (line_id, source)
)
;

CREATE INDEX ix_line_profiles_until ON line_profiles (until)
;

CREATE TABLE service_orders (
    order_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    service_id VARCHAR(120) NOT NULL,
    line_id VARCHAR(40),
    sequence INTEGER NOT NULL,
    action VARCHAR(10) NOT NULL,
    desired TEXT NOT NULL,
    state VARCHAR(20) NOT NULL,
    reason VARCHAR(80),
    attempts INTEGER NOT NULL,
    bss_order VARCHAR(120),
    confirmation VARCHAR(64),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (order_id),
    CONSTRAINT uq_service_orders_sequence UNIQUE (service_id, operator, sequence)
)
;

CREATE INDEX ix_service_orders_bss ON service_orders (operator, bss_order)
;

CREATE INDEX ix_service_orders_line ON service_orders (line_id)
;

CREATE INDEX ix_service_orders_list ON service_orders (created_at, order_id)
;

CREATE INDEX ix_service_orders_open ON service_orders (operator, order_id) WHERE state NOT IN ('completed', 'failed', 'cancelled')
;

CREATE TABLE receipt_links (
    token_hash VARCHAR(64) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    notice_id VARCHAR(40) NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (token_hash),
    UNIQUE (notice_id)
)
;

CREATE INDEX ix_receipt_links_line_id ON receipt_links (line_id)
;

CREATE TABLE receipts_issued (
    line_id VARCHAR(40) NOT NULL,
    form VARCHAR(20) NOT NULL,
    content_hash VARCHAR(80) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (line_id, form, content_hash)
)
;

CREATE TABLE reconciliations (
    reconciliation_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    failure VARCHAR(80),
    repair BOOLEAN NOT NULL,
    stop_unknown BOOLEAN NOT NULL,
    lines INTEGER DEFAULT '0' NOT NULL,
    services INTEGER DEFAULT '0' NOT NULL,
    unreadable INTEGER DEFAULT '0' NOT NULL,
    under_way INTEGER DEFAULT '0' NOT NULL,
    ordered INTEGER DEFAULT '0' NOT NULL,
    found TEXT DEFAULT '{}' NOT NULL,
    PRIMARY KEY (reconciliation_id)
)
;

CREATE INDEX ix_reconciliations_started_at ON reconciliations (started_at)
;

CREATE TABLE proxies (
    operator VARCHAR(40) NOT NULL,
    proxy VARCHAR(80) NOT NULL,
    acted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (operator, proxy)
)
;

CREATE TABLE proxy_principals (
    session_id VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    proxy VARCHAR(80) NOT NULL,
    principal VARCHAR(80) NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    held_until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (session_id)
)
;

CREATE INDEX ix_proxy_principals_proxy ON proxy_principals (operator, proxy, claimed_at)
;

CREATE TABLE repudiations (
    repudiation_id VARCHAR(40) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    means VARCHAR(10) NOT NULL,
    state VARCHAR(10) NOT NULL,
    stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by VARCHAR(80),
    PRIMARY KEY (repudiation_id),
    UNIQUE (line_id)
)
;

CREATE INDEX ix_repudiations_operator ON repudiations (operator, repudiation_id)
;

CREATE TABLE registration_reviews (
    review_id VARCHAR(40) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    asked_by VARCHAR(80) NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by VARCHAR(80),
    decided_at TIMESTAMP WITH TIME ZONE,
    decision VARCHAR(20),
    why VARCHAR(40),
    PRIMARY KEY (review_id),
    CONSTRAINT decided_when CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CONSTRAINT decided_by_another CHECK (decided_by IS NULL OR decided_by <> asked_by)
)
;

CREATE INDEX ix_registration_reviews_open ON registration_reviews (operator, decision, asked_at, review_id)
;

CREATE INDEX ix_registration_reviews_session_id ON registration_reviews (session_id)
;

CREATE TABLE line_stops (
    stop_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    reason VARCHAR(40) NOT NULL,
    level VARCHAR(20) NOT NULL,
    reference VARCHAR(64) NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    set_by VARCHAR(20) NOT NULL,
    set_account VARCHAR(64),
    lifted_at TIMESTAMP WITH TIME ZONE,
    lifted_by VARCHAR(20),
    lifted_account VARCHAR(64),
    PRIMARY KEY (stop_id, operator)
)
 PARTITION BY HASH (operator)
;

CREATE INDEX ix_line_stops_line ON line_stops (line_id, set_at, stop_id)
;

CREATE UNIQUE INDEX ux_line_stops_open ON line_stops (line_id, reason, reference, operator) WHERE lifted_at IS NULL
;

CREATE TABLE line_stops_p0 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 0)
;

CREATE TABLE line_stops_p1 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 1)
;

CREATE TABLE line_stops_p2 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 2)
;

CREATE TABLE line_stops_p3 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 3)
;

CREATE TABLE line_stops_p4 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 4)
;

CREATE TABLE line_stops_p5 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 5)
;

CREATE TABLE line_stops_p6 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 6)
;

CREATE TABLE line_stops_p7 PARTITION OF line_stops FOR VALUES WITH (MODULUS 8, REMAINDER 7)
;

CREATE TABLE terms_versions (
    operator VARCHAR(40) NOT NULL,
    version VARCHAR(40) NOT NULL,
    effective_from DATE NOT NULL,
    content TEXT NOT NULL,
    content_hash VARCHAR(80) NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (operator, version),
    CONSTRAINT uq_terms_versions_day UNIQUE (operator, effective_from)
)
;

CREATE TRIGGER terms_versions_no_update BEFORE UPDATE ON terms_versions FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('published terms never change')
;

CREATE TRIGGER terms_versions_no_delete BEFORE DELETE ON terms_versions FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('published terms are never deleted')
;

CREATE TABLE terms_campaigns (
    campaign_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    terms_version VARCHAR(40) NOT NULL,
    notify_by TIMESTAMP WITH TIME ZONE NOT NULL,
    takes_effect_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR(20) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cursor VARCHAR(40) NOT NULL,
    all_queued BOOLEAN NOT NULL,
    PRIMARY KEY (campaign_id),
    CONSTRAINT uq_terms_campaigns_version UNIQUE (operator, terms_version)
)
;

CREATE TABLE campaign_holders (
    campaign_id VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    notice_id VARCHAR(40) NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    session_id VARCHAR(64),
    PRIMARY KEY (campaign_id, subject)
)
;

CREATE INDEX ix_campaign_holders_line ON campaign_holders (campaign_id, line_id)
;

CREATE TABLE transfer_cases (
    case_id VARCHAR(40) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    state VARCHAR(20) NOT NULL,
    version INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finding VARCHAR(60),
    evidence VARCHAR(64),
    stop VARCHAR(40),
    citation VARCHAR(120),
    sanctioned_by VARCHAR(80),
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id)
)
;

CREATE INDEX ix_transfer_cases_operator ON transfer_cases (operator, case_id)
;

CREATE UNIQUE INDEX ux_transfer_cases_line ON transfer_cases (line_id) WHERE state IN ('open', 'assessed', 'sanctioned', 'appealed')
;

CREATE TABLE transfer_reports (
    case_id VARCHAR(40) NOT NULL,
    reporter VARCHAR(80) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (case_id, reporter)
)
;

CREATE TABLE transfer_bars (
    case_id VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    lifted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id)
)
;

CREATE INDEX ix_transfer_bars_subject ON transfer_bars (subject)
;

CREATE TABLE ports_out (
    port_id VARCHAR(40) NOT NULL,
    line_id VARCHAR(40) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    state VARCHAR(20) NOT NULL,
    authorised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    code_hash VARCHAR(128) NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    recipient VARCHAR(40),
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (port_id),
    UNIQUE (session_id)
)
;

CREATE INDEX ix_ports_out_expiry ON ports_out (expires_at) WHERE state = 'authorised'
;

CREATE UNIQUE INDEX ux_ports_out_line ON ports_out (line_id) WHERE state = 'authorised'
;

CREATE TABLE ports_in (
    port_id VARCHAR(40) NOT NULL,
    session_id VARCHAR(64) NOT NULL,
    operator VARCHAR(40) NOT NULL,
    donor VARCHAR(40) NOT NULL,
    donor_reference VARCHAR(64) NOT NULL,
    state VARCHAR(20) NOT NULL,
    authorised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    line_id VARCHAR(40),
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (port_id),
    UNIQUE (session_id)
)
;

CREATE TABLE account_passkeys (
    credential_id VARCHAR(1400) NOT NULL,
    account VARCHAR(40) NOT NULL,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    name VARCHAR(80) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    suspended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (credential_id),
    FOREIGN KEY(account) REFERENCES accounts (reference)
)
;

CREATE INDEX ix_account_passkeys_account ON account_passkeys (account)
;

CREATE TABLE account_provider_links (
    issuer VARCHAR(400) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    account VARCHAR(40) NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (issuer, subject),
    FOREIGN KEY(account) REFERENCES accounts (reference)
)
;

CREATE INDEX ix_account_provider_links_account ON account_provider_links (account)
;

CREATE TABLE account_sessions (
    token_hash VARCHAR(64) NOT NULL,
    account VARCHAR(40) NOT NULL,
    method VARCHAR(20) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (token_hash),
    FOREIGN KEY(account) REFERENCES accounts (reference)
)
;

CREATE INDEX ix_account_sessions_account ON account_sessions (account)
;

CREATE INDEX ix_account_sessions_created_at ON account_sessions (created_at)
;

CREATE TABLE proofing_holds (
    session_id VARCHAR(40) NOT NULL,
    kek_id VARCHAR(80) NOT NULL,
    wrapped_key BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (session_id),
    FOREIGN KEY(session_id) REFERENCES proofing_sessions (id)
)
;

CREATE INDEX ix_proofing_holds_expires_at ON proofing_holds (expires_at)
;

CREATE TABLE proofing_reader_states (
    session_id VARCHAR(40) NOT NULL,
    state VARCHAR(20) NOT NULL,
    code VARCHAR(40) NOT NULL,
    device VARCHAR(40) NOT NULL,
    changes INTEGER NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (session_id),
    FOREIGN KEY(session_id) REFERENCES proofing_sessions (id)
)
;

CREATE INDEX ix_proofing_reader_states_device ON proofing_reader_states (device)
;

CREATE TABLE proofing_challenges (
    id VARCHAR(40) NOT NULL,
    session_id VARCHAR(40) NOT NULL,
    content_hash VARCHAR(80) NOT NULL,
    digits VARCHAR(12) NOT NULL,
    drawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(session_id) REFERENCES proofing_sessions (id)
)
;

CREATE INDEX ix_proofing_challenges_drawn_at ON proofing_challenges (drawn_at)
;

CREATE TABLE webhook_secrets (
    secret_id VARCHAR(36) NOT NULL,
    webhook_id VARCHAR(40) NOT NULL,
    kek_id VARCHAR(80) NOT NULL,
    wrapped_key BYTEA NOT NULL,
    ciphertext BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (secret_id),
    FOREIGN KEY(webhook_id) REFERENCES webhooks (webhook_id) ON DELETE CASCADE
)
;

CREATE INDEX ix_webhook_secrets_kek_id ON webhook_secrets (kek_id)
;

CREATE INDEX ix_webhook_secrets_webhook_id ON webhook_secrets (webhook_id)
;

CREATE TABLE disclosure_items (
    disclosure_id VARCHAR(40) NOT NULL,
    position INTEGER NOT NULL,
    evidence_id VARCHAR(40) NOT NULL,
    PRIMARY KEY (disclosure_id, position),
    UNIQUE (disclosure_id, evidence_id),
    FOREIGN KEY(disclosure_id) REFERENCES disclosures (disclosure_id)
)
;

CREATE TRIGGER disclosure_items_no_update BEFORE UPDATE ON disclosure_items FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('what was asked for stays')
;

CREATE TRIGGER disclosure_items_no_delete BEFORE DELETE ON disclosure_items FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('what was asked for stays')
;

CREATE TABLE disclosure_approvals (
    disclosure_id VARCHAR(40) NOT NULL,
    person_key VARCHAR(120) NOT NULL,
    account VARCHAR(80) NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (disclosure_id, person_key),
    UNIQUE (disclosure_id, account),
    FOREIGN KEY(disclosure_id) REFERENCES disclosures (disclosure_id)
)
;

CREATE TRIGGER disclosure_approvals_no_update BEFORE UPDATE ON disclosure_approvals FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('who approved stays')
;

CREATE TRIGGER disclosure_approvals_no_delete BEFORE DELETE ON disclosure_approvals FOR EACH ROW  EXECUTE FUNCTION shiming_refuse_change('who approved stays')
;

CREATE TABLE evidence (
    operator VARCHAR(40) DEFAULT '' NOT NULL,
    evidence_id VARCHAR(40) NOT NULL,
    data_key_id VARCHAR(40) NOT NULL,
    subject VARCHAR(80) NOT NULL,
    case_reference VARCHAR(40) NOT NULL,
    line_id VARCHAR(40),
    kind VARCHAR(40) NOT NULL,
    purpose VARCHAR(40) NOT NULL,
    retention_class VARCHAR(40) NOT NULL,
    bytes_stored BIGINT NOT NULL,
    ciphertext_sha256 VARCHAR(64) NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    retain_until TIMESTAMP WITH TIME ZONE,
    erased_at TIMESTAMP WITH TIME ZONE,
    erased_why VARCHAR(80),
    object_removed BOOLEAN NOT NULL,
    PRIMARY KEY (operator, evidence_id),
    FOREIGN KEY(data_key_id) REFERENCES data_keys (data_key_id)
)
 PARTITION BY HASH (operator)
;

CREATE INDEX ix_evidence_case_reference ON evidence (case_reference)
;

CREATE INDEX ix_evidence_data_key_id ON evidence (data_key_id)
;

CREATE INDEX ix_evidence_evidence_id ON evidence (evidence_id)
;

CREATE INDEX ix_evidence_line_id ON evidence (line_id)
;

CREATE INDEX ix_evidence_retain_until ON evidence (retain_until)
;

CREATE INDEX ix_evidence_subject ON evidence (subject)
;

CREATE INDEX ix_evidence_to_remove ON evidence (erased_at) WHERE erased_at IS NOT NULL AND NOT object_removed
;

CREATE TABLE evidence_p0 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 0)
;

CREATE TABLE evidence_p1 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 1)
;

CREATE TABLE evidence_p2 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 2)
;

CREATE TABLE evidence_p3 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 3)
;

CREATE TABLE evidence_p4 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 4)
;

CREATE TABLE evidence_p5 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 5)
;

CREATE TABLE evidence_p6 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 6)
;

CREATE TABLE evidence_p7 PARTITION OF evidence FOR VALUES WITH (MODULUS 8, REMAINDER 7)
;

CREATE TABLE line_drifts (
    reconciliation_id VARCHAR(40) NOT NULL,
    service_id VARCHAR(120) NOT NULL,
    kind VARCHAR(30) NOT NULL,
    registry VARCHAR(20),
    network VARCHAR(60),
    differs TEXT NOT NULL,
    order_id VARCHAR(40),
    PRIMARY KEY (reconciliation_id, service_id),
    FOREIGN KEY(reconciliation_id) REFERENCES reconciliations (reconciliation_id) ON DELETE CASCADE
)
;

CREATE TABLE proofing_held_pieces (
    object_id VARCHAR(64) NOT NULL,
    session_id VARCHAR(40),
    name VARCHAR(20) NOT NULL,
    present BOOLEAN NOT NULL,
    PRIMARY KEY (object_id),
    FOREIGN KEY(session_id) REFERENCES proofing_holds (session_id)
)
;

CREATE INDEX ix_proofing_held_pieces_session_id ON proofing_held_pieces (session_id)
;

CREATE TABLE proofing_uploads (
    id VARCHAR(40) NOT NULL,
    session_id VARCHAR(40) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    media_type VARCHAR(60) NOT NULL,
    bytes_stated INTEGER,
    bytes_held INTEGER NOT NULL,
    stamp TEXT NOT NULL,
    said BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(session_id) REFERENCES proofing_holds (session_id)
)
;

CREATE INDEX ix_proofing_uploads_session_id ON proofing_uploads (session_id)
;

CREATE TABLE proofing_upload_chunks (
    object_id VARCHAR(64) NOT NULL,
    upload_id VARCHAR(40) NOT NULL,
    start INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (object_id),
    FOREIGN KEY(upload_id) REFERENCES proofing_uploads (id)
)
;

CREATE INDEX ix_proofing_upload_chunks_upload_id ON proofing_upload_chunks (upload_id)
;
