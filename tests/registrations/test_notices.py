"""Notices: the channel's contract, sending with pauses, reports, one-time codes."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.database import reading, transact
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.connectors.log_notices import LogNotices
from shiming.registrations.model.notices import NewNotice, Notice, NoticeState
from shiming.registrations.ports.notices import NoticeAccepted, NoticeMessage, NoticePort, NoticeRejected
from shiming.registrations.rules.notices import decide_notice_state
from shiming.registrations.store import notices as store
from shiming.registrations.use_cases import notices
from shiming.registrations.use_cases.notices import NoticeTools, queue_notice, send_due_notices
from shiming.registrations.use_cases.one_time_codes import draw_code, hash_code, is_code
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR
from tests.registrations.notice_port_contract import NoticePortContract
from tests.registrations.people_builders import PeopleDesk, a_people_desk


@dataclass
class KeepingChannel:
    """A channel that keeps what it is given; `faults` answer first."""

    faults: list[Unavailable | NoticeRejected] = field(default_factory=list)
    messages: dict[str, NoticeMessage] = field(default_factory=dict)

    def send(self, message: NoticeMessage) -> NoticeAccepted | NoticeRejected:
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Unavailable):
                raise fault
            return fault
        first = self.messages.setdefault(message.dedupe_key, message)
        return NoticeAccepted(f"kept:{first.notice_id}")


class TestKeepingChannel(NoticePortContract):
    def channel(self) -> NoticePort:
        return KeepingChannel()

    def sent(self, channel: NoticePort) -> list[str]:
        assert isinstance(channel, KeepingChannel)
        return [message.notice_id for message in channel.messages.values()]


class TestLogNotices(NoticePortContract):
    @pytest.fixture(autouse=True)
    def _log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.log = caplog

    def channel(self) -> NoticePort:
        return LogNotices()

    def sent(self, channel: NoticePort) -> list[str]:
        del channel
        return [
            str(record.args[0])
            for record in self.log.records
            if isinstance(record.args, tuple) and record.args
        ]

    def test_it_says_that_nobody_is_reached(self) -> None:
        LogNotices()
        (said,) = self.log.records
        assert said.levelno == logging.WARNING
        assert "reach nobody" in said.getMessage()


@given(st.sampled_from(NoticeState), st.lists(st.sampled_from(NoticeState), max_size=8))
def test_a_notice_never_goes_back_to_knowing_less(first: NoticeState, reports: list[NoticeState]) -> None:
    arrived = {NoticeState.DELIVERED: 1, NoticeState.REACHED: 2}
    states = [first]
    for report in reports:
        states.append(decide_notice_state(states[-1], report))
    assert all(arrived.get(before, 0) <= arrived.get(then, 0) for before, then in pairwise(states))
    left_the_queue = [state is not NoticeState.QUEUED for state in states]
    assert left_the_queue == sorted(left_the_queue)


@given(st.binary(min_size=8, max_size=8))
def test_a_code_is_eight_digits(chance: bytes) -> None:
    code = draw_code(lambda count: chance[:count])
    assert len(code) == 8
    assert code.isdecimal()


def test_a_code_is_known_by_its_hash_only() -> None:
    kept = hash_code("01234567", bytes)
    assert "01234567" not in kept
    assert is_code("01234567", kept)
    assert not is_code("01234568", kept)


# -- over a database -------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[PeopleDesk]:
    desk = a_people_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def a_line(desk: PeopleDesk, index: int = 0, *, active: bool = True) -> str:
    desk.prove(f"SES-{index}X", "p1.someone")
    line = desk.register(f"SES-{index}X", index)
    if active:
        desk.confirm(line)
    return line


def queue(desk: PeopleDesk, line: str, *, key: str = "k", text: str = "hello") -> Notice:
    new = NewNotice(OPERATOR, line, "p1.someone", "a_template", Text(zh=text, en=text), key, campaign="c-1")
    privacy = desk.desk.tools.privacy
    return transact(desk.engine, lambda connection: queue_notice(privacy, connection, new, now=NOW))


def send(desk: PeopleDesk, channel: NoticePort, *, at: datetime = NOW) -> int:
    return send_due_notices(NoticeTools(desk.desk.tools.privacy, channel), desk.engine, now=at)


def now_is(desk: PeopleDesk, notice: Notice) -> Notice:
    with reading(desk.engine) as connection:
        found = notices.find_notice(connection, notice.notice_id)
    assert found is not None
    return found


def report(desk: PeopleDesk, notice: Notice, state: NoticeState, why: str | None = None) -> Notice:
    return transact(
        desk.engine,
        lambda connection: notices.record_delivery(
            desk.desk.tools.privacy, connection, notice.notice_id, state, now=NOW, failure=why
        ),
    )


def test_a_notice_is_queued_once_sent_once_and_followed(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    notice = queue(desk, line)
    assert queue(desk, line) == notice
    assert (send(desk, channel), send(desk, channel)) == (1, 0)
    assert now_is(desk, notice).state is NoticeState.SENT
    assert report(desk, notice, NoticeState.DELIVERED).state is NoticeState.DELIVERED
    assert report(desk, notice, NoticeState.FAILED).state is NoticeState.DELIVERED  # late
    assert report(desk, notice, NoticeState.REACHED).state is NoticeState.REACHED
    assert sorted(desk.events(notice.notice_id)) == [
        "notice.delivered",
        "notice.queued",
        "notice.reached",
        "notice.sent",
    ]
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_a_channel_that_is_down_is_tried_again_with_growing_pauses_then_given_up(desk: PeopleDesk) -> None:
    notice, at = queue(desk, a_line(desk)), NOW
    down = Unavailable("CHANNEL_DOWN", Text(zh="", en=""))
    channel = KeepingChannel([down] * notices.ATTEMPTS_MAX)
    for attempt in range(1, notices.ATTEMPTS_MAX):
        assert send(desk, channel, at=at) == 1
        assert send(desk, channel, at=at) == 0, "not at once"
        at += min(notices.FIRST_PAUSE * 2 ** (attempt - 1), notices.PAUSE_MAX)
    assert send(desk, channel, at=at) == 1
    failed = now_is(desk, notice)
    assert (failed.state, failed.failure) == (NoticeState.FAILED, "CHANNEL_DOWN")
    assert send(desk, channel, at=at + timedelta(days=9)) == 0
    assert report(desk, notice, NoticeState.DELIVERED).failure is None  # it had arrived all the same


def test_what_can_never_arrive_fails_at_once(desk: PeopleDesk) -> None:
    notice = queue(desk, a_line(desk))
    send(desk, KeepingChannel([NoticeRejected("NO_SUCH_NUMBER")]))
    assert now_is(desk, notice).failure == "NO_SUCH_NUMBER"
    nowhere = queue(desk, "REG-NONE", key="other")
    send(desk, KeepingChannel())
    assert now_is(desk, nowhere).failure == "LINE_GONE"


def test_a_line_that_the_network_has_not_confirmed_is_told_later(desk: PeopleDesk) -> None:
    line, channel = a_line(desk, active=False), KeepingChannel()
    notice = queue(desk, line)
    assert send(desk, channel) == 1
    assert (now_is(desk, notice).state, now_is(desk, notice).attempts) == (NoticeState.QUEUED, 0)
    desk.confirm(line)
    assert send(desk, channel, at=NOW + notices.PENDING_PAUSE) == 1
    assert now_is(desk, notice).state is NoticeState.SENT


def test_a_sender_that_died_leaves_its_notices_to_another(desk: PeopleDesk) -> None:
    queue(desk, a_line(desk))
    with desk.engine.begin() as connection:
        assert len(store.take_due(connection, NOW, 10)) == 1
    assert send(desk, KeepingChannel(), at=NOW + store.LEASE / 2) == 0
    assert send(desk, KeepingChannel(), at=NOW + store.LEASE) == 1


def test_many_senders_send_each_notice_once(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    for index in range(20):
        queue(desk, line, key=f"k{index}")
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: send(desk, channel), range(4))) == 20
    assert len(channel.messages) == 20


def test_a_code_goes_into_the_message_and_only_its_hash_stays(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    notice = queue(desk, line, text="code {code}!")
    send(desk, channel)
    (message,) = channel.messages.values()
    code = message.text.en.removeprefix("code ").removesuffix("!")
    kept = now_is(desk, notice).code_hash
    assert kept is not None
    assert is_code(code, kept)
    assert code.encode() not in desk.desk.vault.bytes_on_disk()


def test_a_campaign_knows_whom_it_did_not_reach(desk: PeopleDesk) -> None:
    line = a_line(desk)
    one, other = queue(desk, line), queue(desk, line, key="k2")
    report(desk, one, NoticeState.REACHED)
    with reading(desk.engine) as connection:
        reach = notices.reach_of_campaign(connection, OPERATOR, "c-1")
        queued = (NoticeState.QUEUED,)
        left = notices.list_notices(connection, operator=OPERATOR, campaign="c-1", states=queued, limit=9)
        none = notices.reach_of_campaign(connection, "op-other", "c-1")
    assert (reach.not_reached, reach.states[NoticeState.REACHED], none.not_reached) == (1, 1, 0)
    assert left == (other,)
    with pytest.raises(BadInput, match="NOTICE_UNKNOWN"):
        transact(
            desk.engine,
            lambda connection: notices.record_delivery(
                desk.desk.tools.privacy, connection, "NTC-NONE", NoticeState.DELIVERED, now=NOW
            ),
        )
