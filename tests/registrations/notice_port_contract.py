"""What every adapter of `NoticePort` is held to: subclass `NoticePortContract` and give it a channel."""

import logging
from abc import ABC, abstractmethod
from dataclasses import replace

import pytest

from shiming.registrations.ports.notices import Contact, NoticeAccepted, NoticeMessage, NoticePort
from shiming.vocabulary.errors import Text
from shiming.vocabulary.msisdn import Msisdn

NUMBER = "+8613800138000"
CODE = "48151623"
MESSAGE = NoticeMessage(
    notice_id="NTC-1",
    operator="op-one",
    line_id="REG-1",
    to=Msisdn.parse(NUMBER),
    template="a_template",
    text=Text(zh=f"验证码{CODE}", en=f"code {CODE}"),
    dedupe_key="a_template:REG-1",
)

ADDRESS = "zhang@example.org"
TO_A_CONTACT = replace(MESSAGE, line_id=None, to=Contact(ADDRESS))


class NoticePortContract(ABC):
    """`channel` returns a channel that works, `sent` what went out through it, by reference of the notice."""

    @abstractmethod
    def channel(self) -> NoticePort: ...

    @abstractmethod
    def sent(self, channel: NoticePort) -> list[str]: ...

    def test_a_message_is_taken_with_a_reference(self) -> None:
        channel = self.channel()
        answer = channel.send(MESSAGE)
        assert isinstance(answer, NoticeAccepted)
        assert 0 < len(answer.reference) <= 120
        assert NUMBER not in answer.reference
        assert self.sent(channel) == ["NTC-1"]

    def test_the_same_key_sends_nothing_twice_and_answers_the_same(self) -> None:
        channel = self.channel()
        assert channel.send(MESSAGE) == channel.send(MESSAGE)
        other = replace(MESSAGE, notice_id="NTC-2", dedupe_key="a_template:REG-2")
        assert channel.send(other) != channel.send(MESSAGE)
        assert self.sent(channel) == ["NTC-1", "NTC-2"]

    def test_neither_number_nor_code_is_logged_or_shown(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            self.channel().send(MESSAGE)
        said = caplog.text + repr(MESSAGE)
        assert NUMBER not in said
        assert CODE not in said

    def test_a_message_to_a_contact_is_taken_and_the_contact_stays_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        channel = self.channel()
        with caplog.at_level(logging.DEBUG):
            assert isinstance(channel.send(TO_A_CONTACT), NoticeAccepted)
        said = caplog.text + repr(TO_A_CONTACT)
        assert self.sent(channel) == ["NTC-1"]
        assert ADDRESS not in said
        assert CODE not in said
