"""People who hold lines and who act for others: proven sessions, orders and registered lines."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import Channel, Cited, EntryKind, Policy, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.orders import LineOrder, Representative, RepresentativeRole
from shiming.registrations.model.registration import LineRegistered, ProvenSession
from shiming.registrations.model.representation import RepresentationRefused, RepresentativeNamed
from shiming.registrations.store.orders import add_order
from shiming.registrations.use_cases.following import follow_registration
from shiming.registrations.use_cases.representation import keep_authority_document, name_representative
from shiming.registrations.use_cases.stops import confirm_line
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, Desk, a_desk, a_number, a_session

PICTURE = b"\xff\xd8\xff" + bytes(100)
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "某人", "某地")
_SESSIONS = schema.tables["proofing_sessions"]


@cache
def the_policy() -> Policy:
    return policy_on(read_pack("cn"), NOW.date())


def with_values(policy: Policy, section: str, **values: Any) -> Policy:
    """The same policy with other values in one section, cited as before."""
    part = getattr(policy, section)
    cited: dict[str, Cited[Any]] = {
        name: getattr(part, name).model_copy(update={"value": value}) for name, value in values.items()
    }
    return policy.model_copy(update={section: part.model_copy(update=cited)})


@dataclass(frozen=True)
class PeopleDesk:
    """A desk where people are proven, act for others and hold lines."""

    desk: Desk
    policy: Policy

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    def under(self, policy: Policy) -> "PeopleDesk":
        return replace(self, policy=policy)

    def prove(
        self,
        session_id: str,
        person: str,
        *,
        category: str = "adult",
        majority_on: date | None = None,
        document_expires_on: date | None = None,
        at: datetime = NOW,
        recorded: bool = True,
        **changes: Any,
    ) -> ProvenSession:
        """A session that ended in Verified, with its identity record."""
        session = replace(a_session(session_id, subject=person), decided_at=at, **changes)
        self.desk.sessions.add(session)
        days = {"majority_on": majority_on, "document_expires_on": document_expires_on}
        with unit_of_work(self.engine) as connection:
            mine = _SESSIONS.c.id == session_id
            connection.execute(_SESSIONS.update().where(mine).values(category=category, **days))
        if recorded and session.subject is not None:
            self.desk.keep_identity(session, IDENTITY)
        return session

    def order(self, session_id: str, *, category: str = "adult", operator: str = OPERATOR) -> None:
        order = LineOrder(
            session_id=session_id,
            operator=operator,
            entry=EntryKind.OPEN,
            kind=LineKind.MOBILE,
            product_class=ProductClass.VOICE,
            channel=Channel.SHOP,
            created_at=NOW,
            category=category,
        )
        with unit_of_work(self.engine) as connection:
            assert add_order(connection, order)

    def authority(self, session_id: str) -> str:
        ref = keep_authority_document(
            self.desk.tools, self.engine, session_id, BytesIO(PICTURE), policy=self.policy, now=NOW
        )
        return ref.evidence_id

    def name(
        self, session_id: str, representative: Representative, *, now: datetime = NOW
    ) -> RepresentativeNamed | RepresentationRefused:
        return transact(
            self.engine,
            lambda connection: name_representative(
                self.desk.tools, connection, session_id, representative, policy=self.policy, now=now
            ),
        )

    def by_proxy(
        self, session_id: str, proxy_session: str, *, now: datetime = NOW
    ) -> RepresentativeNamed | RepresentationRefused:
        """Name a proxy with a document of authority."""
        evidence = self.authority(session_id)
        named = Representative(RepresentativeRole.PROXY, proxy_session, authority_evidence=evidence)
        return self.name(session_id, named, now=now)

    def register(self, session_id: str, index: int = 0, *, now: datetime = NOW) -> str:
        """Register the line of a session and run the job that follows; return the line's reference."""
        outcome = self.desk.register(session_id, a_number(index), now=now)
        assert isinstance(outcome, LineRegistered), outcome
        line: str = outcome.receipt["line"]["id"]
        self.follow(line, now=now)
        return line

    def registered_by_proxy(self, index: int = 0, *, principal: str = "p1.principal") -> str:
        """A line that a proxy registered for somebody."""
        holder, proxy = f"SES-H{index}", f"SES-P{index}"
        self.prove(holder, principal)
        self.prove(proxy, "p1.proxy")
        self.order(holder)
        named = self.by_proxy(holder, proxy)
        assert isinstance(named, RepresentativeNamed), named
        return self.register(holder, index)

    def follow(self, line: str, *, now: datetime = NOW) -> None:
        transact(
            self.engine,
            lambda connection: follow_registration(
                self.desk.tools, connection, line, policy=self.policy, now=now
            ),
        )

    def confirm(self, line: str) -> None:
        """The network carries the line."""
        transact(
            self.engine,
            lambda connection: confirm_line(self.desk.tools, connection, line, now=NOW, policy=self.policy),
        )

    def events(self, subject: str) -> list[str]:
        """Types of the events about something, oldest first."""
        query = sa.select(outbox.c.type).where(outbox.c.subject == subject).order_by(outbox.c.occurred_at)
        with reading(self.engine) as connection:
            return list(connection.execute(query).scalars())


def a_people_desk(folder: Path, url: str | None = None) -> PeopleDesk:
    return PeopleDesk(a_desk(folder, url=url), the_policy())


def codes(outcome: Any) -> list[str]:
    return [refusal.code.value for refusal in outcome.refusals]


def days(count: int) -> timedelta:
    return timedelta(days=count)
