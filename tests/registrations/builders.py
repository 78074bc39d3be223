"""A registration desk on real files, with proofing sessions that a test writes."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine
from stdnum import luhn

import shiming.entrypoints.schema
from shiming.infrastructure.database import insert_into, transact, unit_of_work
from shiming.infrastructure.signing import Ed25519Signer
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import (
    AtCap,
    CapPolicy,
    CapScope,
    Channel,
    Cited,
    Confidence,
    EntryKind,
    HolderKind,
    ProductClass,
)
from shiming.privacy.model import IdentityRecord
from shiming.privacy.use_cases.vault import put_identity
from shiming.registrations.model.lines import LineIdentifier, LineKind, SimForm
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    TermsAcceptance,
)
from shiming.registrations.model.registration import (
    LineRegistered,
    NamedCap,
    ProvenSession,
    RegisterLine,
    RegistrationPolicy,
    RegistrationRefused,
)
from shiming.registrations.store.number_tables import number_blocks
from shiming.registrations.store.orders import add_order
from shiming.registrations.use_cases.lines import terminate_line
from shiming.registrations.use_cases.registering import register_line
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.msisdn import Msisdn
from tests.privacy.builders import NOW, Vault, a_retention_policy, a_vault

OPERATOR = "cn-mobile"


def a_line_cap_policy(
    lines_max: int = 5,
    scope: CapScope = CapScope.OPERATOR,
    *,
    at_cap: AtCap = AtCap.REFUSE,
    gap_hours: int | None = None,
    a_day: int | None = None,
) -> CapPolicy:
    common = {
        "citation": "six_agencies2016:five_lines",
        "confidence": Confidence.SECONDARY,
        "since": NOW.date(),
    }
    return CapPolicy(
        lines_per_holder_max=Cited[int].model_validate({"value": lines_max, **common}),
        scope=Cited[CapScope].model_validate({"value": scope, **common}),
        at_cap=Cited[AtCap].model_validate({"value": at_cap, **common}),
        gap_hours_min=None
        if gap_hours is None
        else Cited[int].model_validate({"value": gap_hours, **common}),
        lines_per_day_max=None if a_day is None else Cited[int].model_validate({"value": a_day, **common}),
        reservation_minutes=Cited[int].model_validate({"value": 30, **common}),
    )


def a_registration_policy(
    lines_max: int = 5,
    *,
    scope: CapScope = CapScope.OPERATOR,
    regions: tuple[str, ...] = ("CN",),
    identity_record_required: bool = False,
    cap: CapPolicy | None = None,
) -> RegistrationPolicy:
    """Rules without orders: a proof, a free number and the cap of telephone cards."""
    counted = NamedCap("cards", cap or a_line_cap_policy(lines_max, scope))
    return RegistrationPolicy(
        pack_id="cn",
        pack_version="1",
        pack_hash="sha256:" + "0" * 64,
        caps={(ProductClass.VOICE, HolderKind.PERSON): counted},
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


assert shiming.entrypoints.schema.TABLES  # sessions belong to another feature
_SESSIONS = schema.tables["proofing_sessions"]


ICCID = "89860112851234567891"


def a_card_of(session_id: str) -> tuple[str, str]:
    """ICCID and IMSI of the card that a session's order names: each has its own."""
    drawn = f"{int.from_bytes(hashlib.sha256(session_id.encode()).digest()):015d}"
    body = f"8986{drawn[-15:]}"
    return body + luhn.calc_check_digit(body), f"46000{drawn[-10:]}"


def an_order(
    session_id: str = "SES-1",
    identifier: LineIdentifier | None = None,
    *,
    now: datetime = NOW,
    **changes: Any,
) -> LineOrder:
    """An order for a telephone card with everything that a pack can ask for."""
    identifier = identifier or a_number()
    iccid, imsi = a_card_of(session_id)
    order = LineOrder(
        session_id=session_id,
        operator=OPERATOR,
        entry=EntryKind.OPEN,
        kind=LineKind.MOBILE,
        product_class=ProductClass.VOICE,
        channel=Channel.SHOP,
        created_at=now,
        identifier=identifier,
        category="adult",
        iccid=iccid,
        imsi=imsi,
        sim_form=SimForm.PHYSICAL,
        terms=TermsAcceptance("1", "sha256:" + "0" * 64, now, Channel.SHOP),
        confirmation=LineConfirmation(identifier, ConfirmationMethod.READ_BACK, now),
    )
    return replace(order, **changes)


def prepare_order(connection: Connection, order: LineOrder) -> None:
    """Write an order that lacks nothing, and the block of the pool that its number lies in."""
    add_order(connection, order)
    if isinstance(order.identifier, Msisdn):
        add_block(connection, order.identifier, operator=order.operator, kind=order.kind)


def add_block(
    connection: Connection, number: Msisdn, *, operator: str = OPERATOR, kind: LineKind = LineKind.MOBILE
) -> None:
    """Give the ten million numbers around this one to an operator; once is enough."""
    first = number.reveal("pool")[:-7] + "0" * 7
    row = {
        "block_id": f"BLK-{operator}-{first}",
        "operator": operator,
        "first": first,
        "last": first[:-7] + "9" * 7,
        "kind": kind.value,
        "excluded": False,
        "added_at": NOW,
    }
    connection.execute(insert_into(connection, number_blocks).values(**row).on_conflict_do_nothing())


@dataclass(frozen=True)
class WrittenSessions:
    """Writes proofing sessions as they look when they are decided."""

    engine: Engine

    def add(self, *sessions: ProvenSession) -> None:
        """Write sessions; one that exists is replaced."""
        with unit_of_work(self.engine) as connection:
            for session in sessions:
                connection.execute(_SESSIONS.delete().where(_SESSIONS.c.id == session.session_id))
            connection.execute(_SESSIONS.insert(), [_session_row(session) for session in sessions])


def _session_row(session: ProvenSession) -> dict[str, Any]:
    return {
        "id": session.session_id,
        "pack_id": "cn",
        "pack_version": "1",
        "pack_hash": "sha256:" + "0" * 64,
        "channel": "shop",
        "route": "clerk",
        "category": "adult",
        "operator": session.operator,
        "state": "decided",
        "opened_at": NOW,
        "expires_at": NOW + timedelta(minutes=30),
        "progress": "{}",
        "subject": session.subject,
        "outcome": session.outcome,
        "level": session.level,
        "challenge_origin": session.challenge_origin,
        "decided_at": session.decided_at,
        "receipt_hash": session.receipt_hash,
        "consumed_by": session.consumed_by,
    }


@dataclass(frozen=True)
class Desk:
    vault: Vault
    sessions: WrittenSessions
    tools: RegistrationTools
    policy: RegistrationPolicy

    @property
    def engine(self) -> Engine:
        return self.vault.engine

    def under(self, policy: RegistrationPolicy) -> "Desk":
        """The same desk under other rules."""
        return replace(self, policy=policy)

    def register(
        self, session_id: str, number: Msisdn, *, operator: str = OPERATOR, now: datetime = NOW
    ) -> LineRegistered | RegistrationRefused:
        command = RegisterLine(operator, number, session_id)
        return transact(
            self.engine,
            lambda connection: register_line(self.tools, connection, command, policy=self.policy, now=now),
        )

    def register_for(
        self, person: str, session_id: str, number: Msisdn, *, operator: str = OPERATOR
    ) -> LineRegistered | RegistrationRefused:
        """Register with a session of this person that is made for it."""
        self.sessions.add(a_session(session_id, subject=person))
        return self.register(session_id, number, operator=operator)

    def terminate(self, line_id: str, *, now: datetime = NOW) -> None:
        transact(
            self.engine,
            lambda connection: terminate_line(
                self.tools, connection, line_id, why="holder_asked", policy=self.policy, now=now
            ),
        )

    def keep_identity(self, session: ProvenSession, identity: IdentityRecord) -> None:
        assert session.subject
        with unit_of_work(self.engine) as connection:
            put_identity(
                self.vault.tools,
                connection,
                subject=session.subject,
                case_reference=session.session_id,
                identity=identity,
                retention=self.policy.retention,
                now=NOW,
            )


def a_desk(folder: Path, policy: RegistrationPolicy | None = None, url: str | None = None) -> Desk:
    """A desk on the database at `url`; without one on a SQLite file of its own."""
    vault = a_vault(folder, url)
    signer = Ed25519Signer.from_seed(bytes(32))
    tools = RegistrationTools(privacy=vault.tools, signer=signer)
    return Desk(vault, WrittenSessions(vault.engine), tools, policy or a_registration_policy())
