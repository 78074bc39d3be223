"""A registration desk on real files, with proofing sessions that a test writes."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import Connection

from shiming.infrastructure.database import create_tables, unit_of_work
from shiming.infrastructure.signing import Ed25519Signer
from shiming.jurisdictions.model import AtCap, CapScope, Cited, Confidence, LineCapPolicy
from shiming.privacy.model import IdentityRecord
from shiming.privacy.use_cases.vault import put_identity
from shiming.registrations.model import (
    LineRegistered,
    ProvenSession,
    RegisterLine,
    RegistrationPolicy,
    RegistrationRefused,
)
from shiming.registrations.use_cases import RegistrationTools, register_line, schema
from shiming.vocabulary.msisdn import Msisdn
from tests.privacy.builders import NOW, Vault, a_retention_policy, a_vault

OPERATOR = "cn-mobile"


def a_line_cap_policy(lines_max: int = 5, scope: CapScope = CapScope.OPERATOR) -> LineCapPolicy:
    common = {
        "citation": "six_agencies2016:five_lines",
        "confidence": Confidence.SECONDARY,
        "since": NOW.date(),
    }
    return LineCapPolicy(
        lines_per_identity_max=Cited[int].model_validate({"value": lines_max, **common}),
        scope=Cited[CapScope].model_validate({"value": scope, **common}),
        product_class=Cited[str].model_validate({"value": "voice", **common}),
        at_cap=Cited[AtCap].model_validate({"value": AtCap.REFUSE, **common}),
    )


def a_registration_policy(
    lines_max: int = 5,
    *,
    scope: CapScope = CapScope.OPERATOR,
    regions: tuple[str, ...] = ("CN",),
    identity_record_required: bool = False,
) -> RegistrationPolicy:
    return RegistrationPolicy(
        pack_id="cn",
        pack_version="1",
        pack_hash="sha256:" + "0" * 64,
        line_cap=a_line_cap_policy(lines_max, scope),
        retention=a_retention_policy(),
        session_age_max=timedelta(minutes=30),
        session_citation="order25:6",
        identity_citation="order25:9",
        number_citation="project:numbers",
        number_regions=regions,
        identity_record_required=identity_record_required,
    )


def a_session(session_id: str = "SES-1", *, subject: str | None = "p1.someone") -> ProvenSession:
    return ProvenSession(
        session_id=session_id,
        outcome="Verified",
        level="ial2",
        subject=subject,
        decided_at=NOW,
        challenge_origin="drawn",
        receipt_hash="sha256:" + "1" * 64,
    )


def a_number(index: int = 0) -> Msisdn:
    return Msisdn.parse(f"+86138{index:08d}")


@dataclass
class WrittenSessions:
    """Proofing sessions as a test wrote them; `any_subject` answers for every session id `SES-person-n`."""

    sessions: dict[str, ProvenSession] = field(default_factory=dict)
    any_subject: bool = False

    def add(self, session: ProvenSession) -> None:
        self.sessions[session.session_id] = session

    def get(self, connection: Connection, session_id: str) -> ProvenSession | None:
        assert connection.in_transaction()
        if self.any_subject:
            return a_session(session_id, subject="p1." + session_id.split("-")[1])
        return self.sessions.get(session_id)

    def consume(self, connection: Connection, session_id: str, *, by: str) -> bool:
        assert connection.in_transaction()
        if not self.any_subject:
            self.sessions[session_id] = replace(self.sessions[session_id], consumed_by=by)
        return session_id != "SES-busy"


@dataclass(frozen=True)
class Desk:
    vault: Vault
    sessions: WrittenSessions
    tools: RegistrationTools
    policy: RegistrationPolicy

    def register(
        self, session_id: str, number: Msisdn, *, operator: str = OPERATOR, now: datetime = NOW
    ) -> LineRegistered | RegistrationRefused:
        with unit_of_work(self.vault.engine) as connection:
            return register_line(
                self.tools,
                connection,
                RegisterLine(operator, number, session_id),
                policy=self.policy,
                now=now,
            )

    def keep_identity(self, session: ProvenSession, identity: IdentityRecord) -> None:
        assert session.subject
        with unit_of_work(self.vault.engine) as connection:
            put_identity(
                self.vault.tools,
                connection,
                subject=session.subject,
                case_reference=session.session_id,
                identity=identity,
                retention=self.policy.retention,
                now=NOW,
            )


def a_desk(folder: Path, policy: RegistrationPolicy | None = None, *, any_subject: bool = False) -> Desk:
    vault = a_vault(folder)
    create_tables(vault.engine, schema)
    sessions = WrittenSessions(any_subject=any_subject)
    signer = Ed25519Signer.from_seed(bytes(32))
    tools = RegistrationTools(privacy=vault.tools, sessions=sessions, signer=signer)
    return Desk(vault, sessions, tools, policy or a_registration_policy())
