"""Links to orders on the applicant's own phone, on both engines: whose they are, how they end, what waits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import Channel
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.errors.applicant_links import ApplicantLinkRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.applicant_links import (
    ApplicantLink,
    ApplicantLinkMade,
    ApplicantLinkRefused,
    AtHome,
    CardAwaited,
    LinkEnd,
)
from shiming.registrations.model.numbers import NumberReserved
from shiming.registrations.model.orders import AwaitedRepresentative, RepresentativeRole
from shiming.registrations.model.registration import (
    LineRegistered,
    RegistrationPolicy,
    RegistrationRefused,
)
from shiming.registrations.rules.applicant_links import (
    CARD_ANSWERS_MAX,
    SESSIONS_PER_LINK_MAX,
    decide_beginning_again,
    decide_link,
    has_run_out,
)
from shiming.registrations.store.applicant_links import applicant_links as table
from shiming.registrations.store.number_tables import numbers_held
from shiming.registrations.store.orders import find_order
from shiming.registrations.store.sims import hold_for_order, sim_holds
from shiming.registrations.use_cases import applicant_links as verbs
from shiming.registrations.use_cases.numbers import reserve_number
from shiming.registrations.use_cases.orders import hold_order
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_desk,
    a_number,
    a_session,
    an_order,
    prepare_order,
)

RULES = policy_on(read_pack("cn"), NOW.date())
PACK = RegistrationPolicy.of(RULES, number_regions=("CN",), time_zone="Asia/Shanghai")
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市")
DAYS = RULES.contracts.delivery_days
HOURS = RULES.contracts.link_hours
assert DAYS is not None
assert HOURS is not None
LATER = NOW + timedelta(days=DAYS.value - 1)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, PACK, database_url)
    desk.sessions.add(a_session())
    desk.keep_identity(a_session(), IDENTITY)
    yield desk
    desk.engine.dispose()


def ordered(desk: Desk, **changes: Any) -> None:
    """An online order whose number and card are kept for half an hour."""
    order = an_order(channel=Channel.ONLINE, **changes)
    with unit_of_work(desk.engine) as connection:
        prepare_order(connection, order)
        kept = reserve_number(
            desk.tools, connection, a_number(), operator=OPERATOR, held_for="SES-1", now=NOW, policy=RULES
        )
        assert isinstance(kept, NumberReserved)
        assert order.iccid
        until = NOW + timedelta(minutes=30)
        assert hold_for_order(
            connection, order.iccid, operator=OPERATOR, session_id="SES-1", until=until, now=NOW
        )


def made(desk: Desk) -> ApplicantLinkMade:
    def work(connection: sa.Connection) -> ApplicantLinkMade | ApplicantLinkRefused:
        order = hold_order(connection, "SES-1", operator=OPERATOR)
        return verbs.make_link(desk.tools, connection, order, policy=RULES, now=NOW)

    link = transact(desk.engine, work)
    assert isinstance(link, ApplicantLinkMade)
    return link


def seen(desk: Desk, token: str, *, now: object = NOW) -> AtHome | ApplicantLinkRefused:
    with reading(desk.engine) as connection:
        return verbs.find_at_home(connection, token, policy=RULES, now=now)  # type: ignore[arg-type]


def codes(outcome: object) -> list[str]:
    assert isinstance(outcome, ApplicantLinkRefused | RegistrationRefused), outcome
    return [refusal.code.value for refusal in outcome.refusals]


def awaited(desk: Desk, token: str) -> CardAwaited | ApplicantLinkRefused:
    return transact(
        desk.engine,
        lambda connection: verbs.await_card(
            desk.tools, connection, token, policy=RULES, registration=PACK, now=NOW
        ),
    )


def test_a_link_opens_its_own_order_and_is_kept_as_a_hash(desk: Desk) -> None:
    ordered(desk)
    link = made(desk)
    found = seen(desk, link.token)
    assert isinstance(found, AtHome)
    assert (found.link.session_id, found.order.operator, found.line) == ("SES-1", OPERATOR, None)
    assert link.expires_at == NOW + timedelta(hours=HOURS.value)  # type: ignore[union-attr]
    with reading(desk.engine) as connection:
        rows = connection.execute(table.select()).all()
        told = connection.execute(outbox.select()).all()
    assert link.token not in repr(rows) + repr(told) + repr(link)
    assert codes(seen(desk, "A" * 43)) == ["APPLICANT_LINK_UNKNOWN"]


def test_number_and_card_are_kept_as_long_as_the_link_of_an_online_order(desk: Desk) -> None:
    ordered(desk)
    link = made(desk)
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(numbers_held.c.until)).scalar_one() == link.expires_at
        assert connection.execute(sa.select(sim_holds.c.until)).scalar_one() == link.expires_at


def test_a_newer_link_takes_the_place_of_the_former_and_a_revoked_one_says_so(desk: Desk) -> None:
    ordered(desk)
    first, second = made(desk), made(desk)
    assert codes(seen(desk, first.token)) == ["APPLICANT_LINK_REPLACED"]
    assert isinstance(seen(desk, second.token), AtHome)
    assert codes(seen(desk, second.token, now=second.expires_at)) == ["APPLICANT_LINK_EXPIRED"]
    with unit_of_work(desk.engine) as connection:
        order = hold_order(connection, "SES-1", operator=OPERATOR)
        assert verbs.revoke_links(desk.tools, connection, order, NOW)
        assert not verbs.revoke_links(desk.tools, connection, order, NOW)
    assert codes(seen(desk, second.token)) == ["APPLICANT_LINK_REVOKED"]


def test_who_stops_gives_the_order_up_and_frees_what_it_kept(desk: Desk) -> None:
    ordered(desk)
    link = made(desk)
    stopped = transact(
        desk.engine,
        lambda connection: verbs.stop(desk.tools, connection, link.token, policy=RULES, now=NOW),
    )
    assert isinstance(stopped, AtHome)
    assert codes(seen(desk, link.token)) == ["APPLICANT_LINK_STOPPED"]
    with reading(desk.engine) as connection:
        assert find_order(connection, "SES-1") is None
        assert not connection.execute(numbers_held.select()).all()
        assert not connection.execute(sim_holds.select()).all()


def test_an_order_waits_for_its_card_longer_than_a_proof_is_fresh(desk: Desk) -> None:
    ordered(desk)
    link = made(desk)
    assert codes(desk.register("SES-1", a_number(), now=LATER))[0] == RefusalCode.SESSION_TOO_OLD.value
    waits = awaited(desk, link.token)
    assert isinstance(waits, CardAwaited)
    assert awaited(desk, link.token) == waits
    found = seen(desk, link.token, now=LATER)
    assert isinstance(found, AtHome)
    assert found.order.cap_reserved_until == waits.until
    assert isinstance(desk.register("SES-1", a_number(), now=LATER), LineRegistered)
    after = seen(desk, link.token, now=LATER)
    assert isinstance(after, AtHome)
    assert after.line is not None


def test_nothing_waits_without_terms_or_proof_and_not_for_ever(desk: Desk) -> None:
    ordered(desk, terms=None)
    link = made(desk)
    assert codes(awaited(desk, link.token)) == [OrderRefusal.TERMS_NOT_ACCEPTED.value]
    desk.sessions.add(replace(a_session(), outcome="NotVerified"))
    assert RefusalCode.SESSION_NOT_VERIFIED.value in codes(awaited(desk, link.token))


def test_the_proof_is_too_old_when_the_card_took_too_long(desk: Desk) -> None:
    ordered(desk)
    waits = awaited(desk, made(desk).token)
    assert isinstance(waits, CardAwaited)
    too_late = waits.until + timedelta(seconds=1)
    assert RefusalCode.SESSION_TOO_OLD.value in codes(desk.register("SES-1", a_number(), now=too_late))


def test_the_last_digits_of_the_card_are_asked_a_few_times(desk: Desk) -> None:
    ordered(desk)
    link = made(desk)
    right = (an_order().iccid or "")[-4:]
    wrong = f"{(int(right) + 1) % 10_000:04d}"

    def answer(last: str) -> AtHome | ApplicantLinkRefused:
        return transact(
            desk.engine,
            lambda connection: verbs.show_card(connection, link.token, last, policy=RULES, now=NOW),
        )

    assert codes(answer(right)) == ["APPLICANT_CARD_NOT_AWAITED"]
    awaited(desk, link.token)
    assert isinstance(answer(right), AtHome)
    left = [
        refused.left
        for _ in range(CARD_ANSWERS_MAX)
        if isinstance(refused := answer(wrong), ApplicantLinkRefused)
    ]
    assert left == list(range(CARD_ANSWERS_MAX - 1, -1, -1))
    assert codes(answer(right)) == ["APPLICANT_CARD_TRIES_USED_UP"]


_PROXY = AwaitedRepresentative(RepresentativeRole.PROXY)


@pytest.mark.parametrize(
    ("order", "sessions", "expected"),
    [
        ({}, 1, []),
        ({}, SESSIONS_PER_LINK_MAX - 1, []),
        ({}, SESSIONS_PER_LINK_MAX, ["APPLICANT_SESSIONS_USED_UP"]),
        ({"channel": Channel.SHOP}, 1, ["APPLICANT_NOT_BEGUN_AGAIN"]),
        ({"awaited": _PROXY}, 1, ["APPLICANT_NOT_BEGUN_AGAIN"]),
        ({"organisation": "ORG-1"}, 1, ["APPLICANT_NOT_BEGUN_AGAIN"]),
    ],
)
def test_who_may_begin_again_by_a_link(order: dict[str, Any], sessions: int, expected: list[str]) -> None:
    link = ApplicantLink("x", "SES-1", OPERATOR, NOW, NOW + timedelta(hours=1), sessions=sessions)
    changed = replace(an_order(channel=Channel.ONLINE), **order)
    assert [each.code.value for each in decide_beginning_again(link, changed, RULES)] == expected


@pytest.mark.parametrize(
    ("state", "late", "over"),
    [
        ("created", False, False),
        ("document", True, True),
        ("expired", False, True),
        ("decided", True, False),
        ("abandoned", True, False),
    ],
)
def test_when_the_time_of_a_proof_has_run_out(state: str, late: bool, over: bool) -> None:
    ends = NOW if late else NOW + timedelta(seconds=1)
    assert has_run_out(state, ends, now=NOW) is over


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"closed_at": NOW, "closed_why": LinkEnd.STOPPED}, ApplicantLinkRefusal.APPLICANT_LINK_STOPPED),
        ({"closed_at": NOW, "closed_why": None}, ApplicantLinkRefusal.APPLICANT_LINK_REVOKED),
        ({"expires_at": NOW}, ApplicantLinkRefusal.APPLICANT_LINK_EXPIRED),
    ],
)
def test_why_a_link_does_not_work(changes: dict[str, object], code: ApplicantLinkRefusal) -> None:
    link = ApplicantLink("x", "SES-1", OPERATOR, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert not decide_link(link, RULES, now=NOW)
    changed = replace(link, **changes)  # type: ignore[arg-type]
    assert [refusal.code for refusal in decide_link(changed, RULES, now=NOW)] == [code]
