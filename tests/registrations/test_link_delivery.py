"""Links reach the contacts that the organisation named, and nobody else; who was not reached is told."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact
from shiming.registrations.model.enterprise_lines import (
    EnterpriseRefused,
    ImportReport,
    LinkMade,
    LinkSent,
    LinkSession,
    LinkShown,
)
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.ports.notices import Contact, NoticeMessage, NoticeRejected
from shiming.registrations.use_cases import notices
from shiming.registrations.use_cases.actual_user_links import list_sent_links, make_links, show_link
from shiming.registrations.use_cases.notices import NoticeTools, send_due_notices
from shiming.vocabulary.errors import Text, Unavailable
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import Enterprise, a_card, a_row, an_enterprise, some_numbers
from tests.registrations.test_enterprise_users import opened
from tests.registrations.test_notices import KeepingChannel

ADDRESSES = ("zhang@example.org", "+8613912345678")
FIRST, SECOND, WITHOUT = tuple(some_numbers(3))
_TOKEN = re.compile(r"https://shiming\.example/v1/actual-user-links/([A-Za-z0-9_-]{43})")
DOWN = Unavailable("CHANNEL_DOWN", Text(zh="停", en="down"), Text(zh="等", en="wait"))


@pytest.fixture
def enterprise(tmp_path: Path, database_url: str) -> Iterator[Enterprise]:
    made = an_enterprise(tmp_path, database_url)
    rows = [
        a_row(FIRST, 1, contact=ADDRESSES[0], iccid=a_card(1)),
        a_row(SECOND, 2, contact=ADDRESSES[1], iccid=a_card(2)),
        a_row(WITHOUT, 3, contact="", iccid=a_card(3)),
    ]
    report = made.bring(rows)
    assert isinstance(report, ImportReport)
    assert report.entered == 3
    yield made
    made.engine.dispose()


def made_links(enterprise: Enterprise, *numbers: str) -> dict[str, LinkMade]:
    made = enterprise.do(make_links, numbers or None)
    assert isinstance(made, tuple)
    return {each.number: each for each in made}


def send(enterprise: Enterprise, channel: KeepingChannel, *, at: datetime = NOW) -> list[NoticeMessage]:
    before = len(channel.messages)
    tools = NoticeTools(enterprise.tools.privacy, channel, "https://shiming.example")
    send_due_notices(tools, enterprise.engine, now=at)
    return list(channel.messages.values())[before:]


def token_in(message: NoticeMessage) -> str:
    (token,) = set(_TOKEN.findall(message.text.zh + message.text.en))
    return str(token)


def opens(enterprise: Enterprise, token: str) -> bool:
    shown = transact(enterprise.engine, lambda c: show_link(enterprise.desk, c, token))
    assert isinstance(shown, LinkShown | EnterpriseRefused)
    return isinstance(shown, LinkShown)


def sent_links(enterprise: Enterprise, **wanted: Any) -> tuple[LinkSent, ...]:
    with reading(enterprise.engine) as connection:
        return list_sent_links(connection, enterprise.contract(), limit=10, **wanted)


def report(enterprise: Enterprise, notice: str | None, state: NoticeState) -> None:
    privacy = enterprise.tools.privacy
    transact(
        enterprise.engine,
        lambda c: notices.record_delivery(privacy, c, notice or "", state, now=NOW, failure="NO_SUCH_BOX"),
    )


def test_a_link_goes_to_the_contact_and_to_nobody_else(
    enterprise: Enterprise, caplog: pytest.LogCaptureFixture
) -> None:
    made = made_links(enterprise)
    assert [bool(made[number].token) for number in (FIRST, SECOND, WITHOUT)] == [False, False, True]
    assert [made[number].notice_id is None for number in (FIRST, SECOND, WITHOUT)] == [False, False, True]
    channel = KeepingChannel()
    messages = send(enterprise, channel)
    assert {message.to for message in messages} == {Contact(address) for address in ADDRESSES}
    assert all(message.line_id is None for message in messages)
    tokens = [token_in(message) for message in messages]
    assert all(opens(enterprise, token) for token in (*tokens, made[WITHOUT].token))
    with reading(enterprise.engine) as connection:
        names = sa.inspect(connection).get_table_names()
        kept = "".join(str(connection.execute(sa.text(f"SELECT * FROM {name}")).all()) for name in names)  # noqa: S608
    for secret in (*tokens, *ADDRESSES, made[WITHOUT].token):
        assert secret not in kept
        assert secret not in caplog.text
        assert secret not in repr(messages)


def test_a_new_link_voids_the_former(enterprise: Enterprise) -> None:
    channel = KeepingChannel()
    made_links(enterprise, FIRST)
    (first,) = send(enterprise, channel)
    made_links(enterprise, FIRST)
    (second,) = send(enterprise, channel)
    assert not opens(enterprise, token_in(first))
    assert opens(enterprise, token_in(second))


def test_a_link_that_was_replaced_before_it_went_out_is_not_sent(enterprise: Enterprise) -> None:
    made = made_links(enterprise, FIRST)
    again = made_links(enterprise, FIRST)
    (message,) = send(enterprise, KeepingChannel())
    assert message.notice_id == again[FIRST].notice_id
    with reading(enterprise.engine) as connection:
        former = notices.find_notice(connection, made[FIRST].notice_id or "")
    assert former is not None
    assert (former.state, former.failure) == (NoticeState.FAILED, "LINK_GONE")


def test_a_channel_that_was_down_gets_a_link_of_its_own_the_next_time(enterprise: Enterprise) -> None:
    made_links(enterprise, FIRST)
    channel = KeepingChannel(faults=[DOWN])
    assert send(enterprise, channel) == []
    (message,) = send(enterprise, channel, at=NOW + timedelta(minutes=1))
    assert opens(enterprise, token_in(message))


def test_who_was_not_reached_is_told(enterprise: Enterprise) -> None:
    made = made_links(enterprise)
    channel = KeepingChannel(faults=[NoticeRejected("NOT_AN_ADDRESS")])
    send(enterprise, channel)
    states = {each.number: each.state for each in sent_links(enterprise)}
    assert sorted(str(state) for state in states.values()) == ["None", "failed", "sent"]
    assert states[WITHOUT] is None
    assert {each.number for each in sent_links(enterprise, arrived=False)} == {FIRST, SECOND}
    delivered = next(number for number, state in states.items() if state is NoticeState.SENT)
    report(enterprise, made[delivered].notice_id, NoticeState.DELIVERED)
    (left,) = sent_links(enterprise, arrived=False)
    assert (left.state, left.failure) == (NoticeState.FAILED, "NOT_AN_ADDRESS")
    assert [each.number for each in sent_links(enterprise, arrived=True)] == [delivered]
    with reading(enterprise.engine) as connection:
        reach = notices.reach_of_campaign(connection, None, f"links-{enterprise.contract_id}")
    assert reach.not_reached == 1


def test_who_opens_the_link_was_reached(enterprise: Enterprise) -> None:
    made = made_links(enterprise, FIRST)[FIRST]
    (message,) = send(enterprise, KeepingChannel())
    session = opened(enterprise, replace(made, token=token_in(message)))
    assert isinstance(session, LinkSession)
    (link,) = sent_links(enterprise, arrived=True)
    assert (link.state, link.session_id) == (NoticeState.REACHED, session.session_id)


def test_a_link_that_has_expired_is_not_sent(enterprise: Enterprise) -> None:
    made = made_links(enterprise, FIRST)
    late = made[FIRST].expires_at
    assert send(enterprise, KeepingChannel(), at=late) == []
    assert [each.failure for each in sent_links(enterprise)] == ["LINK_GONE"]
