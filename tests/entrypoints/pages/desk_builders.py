"""A platform with something in every list of the desk: companies, numbers, cards, lines, disputes, jobs."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO

from sqlalchemy.engine import Connection

from shiming.accounts.model import Role
from shiming.accounts.use_cases import clients
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account, invite
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue import presence, queue
from shiming.infrastructure.job_queue.model import Handling, NewJob
from shiming.infrastructure.webhooks import subscriptions
from shiming.jurisdictions.model import StopActor, StopReason
from shiming.privacy.model import EvidenceKind, Purpose
from shiming.privacy.rules.access import Access, AccessKind
from shiming.privacy.store.access_log import insert_access
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.registrations.model.ordering import Review
from shiming.registrations.model.registration import LineRegistered, RegisterLine
from shiming.registrations.model.repudiation import Means, Repudiation, RepudiationState
from shiming.registrations.store.repudiations import add_repudiation
from shiming.registrations.store.reviews import add_review
from shiming.registrations.use_cases import number_blocks, organisations, sims, stops
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.registering import register_line
from shiming.transfers.model.private_transfer import PrivateTransferKind, Reported
from shiming.transfers.use_cases.private_transfers import report_private_transfer
from shiming.vocabulary.msisdn import Msisdn
from tests.registrations.builders import (
    WrittenSessions,
    a_registration_policy,
    a_session,
    add_block,
)
from tests.registrations.stock_builders import an_iccid, an_imsi

ONE, TWO = "cn-one", "cn-two"
PASSWORD = "a long sentence for a test"
COMPANIES = (
    ("91330106673959654P", "杭州测试科技有限公司"),
    ("91110108551385082Q", "Example Trading Company"),
)
SUBJECT = "p1.somebody"


def a_number(index: int) -> Msisdn:
    """A number of a pool of its own, apart from what other tests of one installation sell."""
    return Msisdn.parse(f"+86137{index:08d}")


@dataclass
class DeskWorld:
    """A platform and what was put in."""

    platform: Platform
    companies: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    job: str = ""
    webhook: str = ""
    review: str = "REV-0082-0C20-A1G7-D"
    dispute: str = "RPD-0082-0C20-A1G7-D"
    case: str = ""

    @property
    def now(self) -> datetime:
        """The moment by the platform's clock."""
        return self.platform.clock.now()

    def staff(self, name: str, *roles: Role, operator: str | None = ONE) -> SignedIn:
        """Sign a new member of staff in."""
        platform = self.platform
        with platform.begin() as connection:
            wanted = NewAccount(name, f"number of {name}", frozenset(roles), operator)
            account = create_account(platform.accounts, connection, wanted, by=Actor())
            token = invite(platform.accounts, connection, account, by=Actor())
        found = enrol_password(platform.accounts, platform.engine, token=token, password=PASSWORD)
        assert isinstance(found, SignedIn)
        return found

    def add_company(self, operator: str, code: str, name: str) -> str:
        """Record an organisation; it lacks every paper."""
        platform = self.platform
        desk = Desk(
            platform.registrations, platform.policy("cn", platform.today()), self.now, platform.today()
        )
        with platform.begin() as connection:
            file = organisations.record_organisation(
                desk,
                connection,
                operator=operator,
                code=code,
                name=name,
                read_code=platform.read_organisation_code,
            )
        return file.organisation.organisation_id

    def add_line(self, index: int, operator: str = ONE, *, confirmed: bool = True) -> str:
        """Register the number `index` by proof and number alone."""
        platform, session = self.platform, f"SES-{operator}-{index}"
        proven = replace(a_session(session, subject=f"{SUBJECT}{index}"), decided_at=self.now)
        WrittenSessions(platform.engine).add(proven)
        policy = platform.policy("cn", platform.today())
        with platform.begin() as connection:
            outcome = register_line(
                platform.registrations,
                connection,
                RegisterLine(operator, a_number(index), session),
                policy=a_registration_policy(),
                now=self.now,
            )
            assert isinstance(outcome, LineRegistered), outcome
            line: str = outcome.receipt["line"]["id"]
        if confirmed:
            with platform.begin() as connection:
                stops.confirm_line(platform.registrations, connection, line, now=self.now, policy=policy)
        return line

    def seal(self) -> None:
        """Seal what was written."""
        platform = self.platform
        seal_ledger(platform.engine, platform.keys, platform.ledger_signer, platform.clock)


def fill(platform: Platform) -> DeskWorld:
    """Put something into every list, of operator `cn-one`, and something of `cn-two` that it may not see."""
    world = DeskWorld(platform)
    world.companies = [world.add_company(ONE, *COMPANIES[0]), world.add_company(TWO, *COMPANIES[1])]
    _stock(world)
    world.seal()
    world.lines = [world.add_line(1), world.add_line(2), world.add_line(3, TWO)]
    _stop(world)
    world.seal()
    _disputes(world)
    _work(world)
    world.seal()
    return world


def _stock(world: DeskWorld) -> None:
    platform = world.platform
    policy = platform.policy("cn", platform.today())
    with platform.begin() as connection:
        add_block(connection, a_number(0), operator=ONE)
        new = number_blocks.read_block(
            ONE, a_number(50).reveal("t"), a_number(59).reveal("t"), "mobile", excluded=True
        )
        number_blocks.add_block(platform.registrations, connection, new, now=world.now, policy=policy)
    rows = "\n".join(f"{an_iccid(index)},{an_imsi(index)},physical,{ONE}" for index in range(3))
    stream = BytesIO(f"iccid,imsi,form,operator\n{rows}".encode())
    sims.import_sims(
        platform.registrations, platform.engine, stream, "cards.csv", operator=None, now=world.now
    )


def _stop(world: DeskWorld) -> None:
    platform = world.platform
    with platform.begin() as connection:
        stops.set_stop(
            platform.registrations,
            connection,
            world.lines[1],
            reason=StopReason.LOST_SIM,
            actor=StopActor.HOLDER,
            reference="CALL-7",
            now=world.now,
            policy=platform.policy("cn", platform.today()),
        )


def _disputes(world: DeskWorld) -> None:
    platform, now = world.platform, world.now
    with platform.begin() as connection:
        add_review(connection, Review(world.review, "SES-cn-one-1", ONE, asked_by="somebody", asked_at=now))
        dispute = Repudiation(
            world.dispute, world.lines[0], ONE, SUBJECT, Means.CODE, RepudiationState.OPEN, stated_at=now
        )
        add_repudiation(connection, dispute)
        reported = report_private_transfer(
            platform.transfers,
            connection,
            world.lines[1],
            PrivateTransferKind.RENTAL,
            reporter="COMPLAINT-1",
            policy=platform.policy("cn", platform.today()),
            now=now,
        )
        assert isinstance(reported, Reported)
        world.case = reported.case.case_id
        look = Access(
            access_id="ACS-0082-0C20-A1G7-D",
            operator=ONE,
            subject=SUBJECT,
            at=now,
            actor="ACC-0082-0C20-A1G7-D",
            what=AccessKind.READ,
            purpose=Purpose.DISPUTE,
            case_reference="CASE-1",
            evidence_id="EVD-0082-0C20-A1G7-D",
            evidence_kind=EvidenceKind.PORTRAIT,
            visible_from=now,
        )
        insert_access(connection, look)


def _work(world: DeskWorld) -> None:
    platform, now = world.platform, world.now - timedelta(minutes=5)

    def fail(connection: Connection) -> None:
        queue.enqueue(connection, NewJob("x.deliver", {"reference": "=EVD-1"}), now=now)
        handlers = {"x.deliver": Handling(lambda _: None)}
        for job in queue.claim(connection, handlers, worker="w", limit=9, now=now):
            queue.fail(connection, job.lease, code="DOWN", error_type="OSError", now=now, again_at=None)
            world.job = job.job_id
        queue.enqueue(connection, NewJob("x.wait"), now=now)
        presence.show_presence(connection, "worker-1", in_hand=1, now=world.now)
        added = subscriptions.add_webhook(
            connection,
            url="https://receiver.example/events",
            types=["nothing.of.this"],
            operator=ONE,
            now=now,
        )
        world.webhook = added.webhook_id

    transact(platform.engine, fail)
    with platform.begin() as connection:
        wanted = clients.NewClient("billing", frozenset({"registrations.read"}), ONE)
        clients.create_client(platform.accounts, connection, wanted, by=Actor())
