"""The receipt by message on both engines: who gets the link, what it opens, and when it opens nothing."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.tables import schema
from shiming.registrations.model.lines import Line, LineKind, LineStatus
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.model.paper_receipts import PaperIssued
from shiming.registrations.model.receipt_links import (
    ReceiptByLink,
    ReceiptLink,
    ReceiptLinkRefused,
    ReceiptMessage,
)
from shiming.registrations.rules.receipt_links import AGAIN_AFTER, decide_message, decide_receipt_link
from shiming.registrations.store.lines import find_line
from shiming.registrations.use_cases import notices, receipt_links
from shiming.registrations.use_cases.notices import NoticeTools, send_due_notices
from shiming.registrations.use_cases.paper_receipts import PaperWords
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number
from tests.registrations.people_builders import PeopleDesk, a_people_desk, codes, the_policy
from tests.registrations.test_notices import KeepingChannel

_TOKEN = re.compile(r"https://shiming\.example/r/([A-Za-z0-9_-]{43})")
POLICY = the_policy()
DAYS = POLICY.contracts.receipt_link_days
assert DAYS is not None
LIFE = timedelta(days=DAYS.value)
LATER = NOW + AGAIN_AFTER


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[PeopleDesk]:
    desk = a_people_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def a_line(desk: PeopleDesk, *, active: bool = True) -> str:
    desk.prove("SES-0X", "p1.someone")
    line = desk.register("SES-0X")
    if active:
        desk.confirm(line)
    return line


def sent(desk: PeopleDesk, line: str, *, at: datetime = NOW) -> ReceiptMessage:
    found = transact(
        desk.engine,
        lambda connection: receipt_links.send_receipt(
            desk.desk.tools, connection, line, policy=POLICY, now=at
        ),
    )
    assert isinstance(found, ReceiptMessage), found
    return found


def tokens_of(desk: PeopleDesk, channel: KeepingChannel, *, at: datetime = NOW) -> list[str]:
    """Let the job send what is due; return the tokens of all messages so far."""
    tools = NoticeTools(desk.desk.tools.privacy, channel, "https://shiming.example")
    send_due_notices(tools, desk.engine, now=at)
    return [_TOKEN.findall(message.text.en)[0] for message in channel.messages.values()]


def opened(desk: PeopleDesk, token: str, *, at: datetime = NOW) -> PaperIssued | ReceiptLinkRefused:
    words = PaperWords(POLICY, lambda operator: operator)
    return transact(
        desk.engine,
        lambda connection: receipt_links.open_receipt(desk.desk.tools, connection, token, words, now=at),
    )


def test_the_link_goes_to_the_line_and_opens_its_receipt_alone(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    message = sent(desk, line)
    assert (message.state, message.expires_at) == (NoticeState.QUEUED, NOW + LIFE)
    (token,) = tokens_of(desk, channel)
    (told,) = channel.messages.values()
    assert (told.to, told.line_id, token in told.text.zh) == (a_number(), line, True)
    issued = opened(desk, token)
    assert isinstance(issued, PaperIssued)
    assert (issued.line_id, issued.pdf[:4]) == (line, b"%PDF")
    with reading(desk.engine) as connection:
        found = receipt_links.find_receipt(connection, token, policy=POLICY, now=NOW)
        kept = "".join(str(connection.execute(table.select()).all()) for table in schema.sorted_tables)
    assert isinstance(found, ReceiptByLink)
    assert "receipt_link" in kept
    assert token not in kept
    assert {"receipt.sent", "receipt.issued"} <= set(desk.events(line))
    assert codes(opened(desk, "A" * 43)) == ["RECEIPT_LINK_UNKNOWN"]
    assert codes(opened(desk, token, at=NOW + LIFE)) == ["RECEIPT_LINK_EXPIRED"]


def test_who_reads_the_receipt_was_reached_once(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    message = sent(desk, line)
    (token,) = tokens_of(desk, channel)

    def read(given: str) -> ReceiptByLink | ReceiptLinkRefused:
        return transact(
            desk.engine,
            lambda connection: receipt_links.note_read(
                desk.desk.tools, connection, given, policy=POLICY, now=LATER
            ),
        )

    assert codes(read("A" * 43)) == ["RECEIPT_LINK_UNKNOWN"]
    with reading(desk.engine) as connection:
        assert receipt_links.find_receipt(connection, token, policy=POLICY, now=LATER)
        before = notices.find_notice(connection, message.notice_id)
    assert before is not None
    assert before.state is not NoticeState.REACHED
    assert isinstance(read(token), ReceiptByLink)
    assert isinstance(read(token), ReceiptByLink)
    assert isinstance(opened(desk, token, at=LATER), PaperIssued)
    with reading(desk.engine) as connection:
        after = notices.find_notice(connection, message.notice_id)
    assert after is not None
    assert after.state is NoticeState.REACHED
    assert desk.events(message.notice_id).count("notice.reached") == 1


def test_again_within_a_minute_is_once_and_a_newer_message_takes_the_place(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    first = sent(desk, line)
    assert sent(desk, line, at=NOW + 9 * AGAIN_AFTER) == first  # it still waits for the job
    tokens_of(desk, channel)
    assert sent(desk, line).notice_id == first.notice_id
    second = sent(desk, line, at=LATER)
    assert second.notice_id != first.notice_id
    old, new = tokens_of(desk, channel, at=LATER)
    assert codes(opened(desk, old, at=LATER)) == ["RECEIPT_LINK_REPLACED"]
    assert isinstance(opened(desk, new, at=LATER), PaperIssued)


def test_a_pending_line_gets_its_message_once_the_network_confirmed_it(desk: PeopleDesk) -> None:
    line, channel = a_line(desk, active=False), KeepingChannel()
    sent(desk, line)
    assert tokens_of(desk, channel) == []
    desk.confirm(line)
    (token,) = tokens_of(desk, channel, at=NOW + notices.PENDING_PAUSE)
    assert isinstance(opened(desk, token), PaperIssued)


def test_a_message_that_comes_too_late_is_not_sent(desk: PeopleDesk) -> None:
    line, channel = a_line(desk), KeepingChannel()
    message = sent(desk, line)
    assert tokens_of(desk, channel, at=NOW + LIFE) == []
    with reading(desk.engine) as connection:
        notice = notices.find_notice(connection, message.notice_id)
    assert notice is not None
    assert (notice.state, notice.failure) == (NoticeState.FAILED, "LINK_GONE")


@pytest.mark.parametrize(
    "ended",
    [{"status": LineStatus.TERMINATED.value, "terminated_at": NOW}, {"subject": "p1.another"}],
    ids=["line", "holder"],
)
def test_the_link_ends_with_its_line_and_with_its_holder(desk: PeopleDesk, ended: dict[str, object]) -> None:
    line, channel = a_line(desk), KeepingChannel()
    sent(desk, line)
    (token,) = tokens_of(desk, channel)
    lines = schema.tables["lines"]
    with desk.engine.begin() as connection:
        connection.execute(lines.update().where(lines.c.line_id == line).values(**ended))
    assert codes(opened(desk, token)) == ["RECEIPT_LINK_REVOKED"]
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(schema.tables["receipts_issued"].c.form)).all() == []
        now = find_line(connection, line)
        assert now is not None
        assert not isinstance(receipt_links.find_message(connection, now, POLICY), ReceiptMessage)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"status": LineStatus.PENDING}, None),
        ({"status": LineStatus.ONE_WAY_STOPPED}, None),
        ({"status": LineStatus.TWO_WAY_STOPPED}, "RECEIPT_NO_CHANNEL"),
        ({"status": LineStatus.TERMINATED}, "RECEIPT_LINE_ENDED"),
        ({"kind": LineKind.FIXED}, "RECEIPT_NO_CHANNEL"),
        ({"kind": LineKind.DATA_CARD}, "RECEIPT_NO_CHANNEL"),
        ({"subject": "ORG-0082-0C20-A1G7-7"}, "RECEIPT_NO_CHANNEL"),
    ],
)
def test_to_whom_a_receipt_is_sent(changes: dict[str, object], code: str | None) -> None:
    found = decide_message(a_plain_line(**changes), POLICY)
    assert [refusal.code.value for refusal in found] == ([] if code is None else [code])


def test_a_link_without_its_line_opens_nothing() -> None:
    link = ReceiptLink("x", "REG-1", "p1.someone", OPERATOR, "NTC-1", NOW, LATER)
    assert not decide_receipt_link(link, a_plain_line(), POLICY, now=NOW)
    (refusal,) = decide_receipt_link(link, None, POLICY, now=NOW)
    assert refusal.code.value == "RECEIPT_LINK_REVOKED"


def a_plain_line(**changes: object) -> Line:
    facts = {
        "line_id": "REG-1", "number": a_number(), "operator": OPERATOR, "product_class": "voice",
        "cap_scope": OPERATOR, "subject": "p1.someone", "session_id": "SES-1", "status": LineStatus.ACTIVE,
        "registered_at": NOW,
    }  # fmt: skip
    return Line(**{**facts, **changes})  # type: ignore[arg-type]
