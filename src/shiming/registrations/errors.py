"""Why a registration can be refused: a stable code, and what to tell the clerk and the subscriber.

A refusal is a value, foreseen by the rules, never an exception.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shiming.vocabulary.errors import Text


class RefusalCode(StrEnum):
    """Stable names of the reasons."""

    SESSION_UNKNOWN = "SESSION_UNKNOWN"
    SESSION_NOT_VERIFIED = "SESSION_NOT_VERIFIED"
    SESSION_CONSUMED = "SESSION_CONSUMED"
    SESSION_TOO_OLD = "SESSION_TOO_OLD"
    SESSION_OF_OTHER_OPERATOR = "SESSION_OF_OTHER_OPERATOR"
    CHALLENGE_CHOSEN = "CHALLENGE_CHOSEN"
    IDENTITY_NOT_RECORDED = "IDENTITY_NOT_RECORDED"
    CAP_REACHED = "CAP_REACHED"
    NUMBER_TAKEN = "NUMBER_TAKEN"
    NUMBER_INVALID = "NUMBER_INVALID"


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """The same refusal for three readers; `next_step` is for whoever can act."""

    clerk: Text
    subscriber: Text
    next_step: Text


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, with the provision it rests on (`source:article` of the pack)."""

    code: RefusalCode
    citation: str

    @property
    def words(self) -> RefusalWords:
        """The texts of this reason."""
        return _WORDS[self.code]

    def to_json(self) -> dict[str, Any]:
        """Return the refusal as it is printed with `--json`."""
        return {
            "code": self.code.value,
            "citation": self.citation,
            "clerk": self.words.clerk.to_json(),
            "subscriber": self.words.subscriber.to_json(),
            "next_step": self.words.next_step.to_json(),
        }


_AGAIN = Text(zh="请重新进行一次身份核验。", en="Prove the person once more, in a new session.")
_WORDS = {
    RefusalCode.SESSION_UNKNOWN: RefusalWords(
        clerk=Text(zh="没有这个核验会话。", en="There is no such proofing session."),
        subscriber=Text(zh="找不到您的身份核验记录。", en="We cannot find the check of your identity."),
        next_step=Text(
            zh="请核对会话编号，或重新核验。", en="Compare the session reference, or prove again."
        ),
    ),
    RefusalCode.SESSION_NOT_VERIFIED: RefusalWords(
        clerk=Text(zh="该会话未通过身份核验。", en="This session did not end in Verified."),
        subscriber=Text(zh="您的身份尚未核验通过。", en="Your identity is not verified yet."),
        next_step=Text(
            zh="请按核验回执中的原因处理，或转人工复核。",
            en="Follow the reasons in the decision receipt, or ask for an assisted review.",
        ),
    ),
    RefusalCode.SESSION_CONSUMED: RefusalWords(
        clerk=Text(zh="该会话已登记过另一个号码。", en="This session has already registered another number."),
        subscriber=Text(
            zh="一次核验只能登记一个号码。", en="One check of your identity registers one number only."
        ),
        next_step=_AGAIN,
    ),
    RefusalCode.SESSION_TOO_OLD: RefusalWords(
        clerk=Text(zh="核验已超过有效时间。", en="The session was decided too long ago."),
        subscriber=Text(zh="您的身份核验已过期。", en="The check of your identity has expired."),
        next_step=_AGAIN,
    ),
    RefusalCode.SESSION_OF_OTHER_OPERATOR: RefusalWords(
        clerk=Text(zh="该会话属于其他运营企业。", en="This session belongs to another operator."),
        subscriber=Text(
            zh="您的身份是为另一家企业核验的。", en="Your identity was checked for another company."
        ),
        next_step=_AGAIN,
    ),
    RefusalCode.CHALLENGE_CHOSEN: RefusalWords(
        clerk=Text(
            zh="该会话的动作和数字由人指定，而非系统随机抽取。",
            en="The challenge of this session was chosen by hand, not drawn by the system.",
        ),
        subscriber=Text(
            zh="此次核验仅供演练，不能办理入网。",
            en="This was a rehearsal; it cannot register a line.",
        ),
        next_step=Text(
            zh="请用系统抽取的动作和数字重新核验。",
            en="Prove again with a challenge that the system draws (`shiming challenge`).",
        ),
    ),
    RefusalCode.IDENTITY_NOT_RECORDED: RefusalWords(
        clerk=Text(
            zh="该会话没有留存证件类型、号码、姓名和住址。",
            en="Document type, number, name and address are not recorded for this session.",
        ),
        subscriber=Text(zh="您的登记信息不完整。", en="The record of your identity is not complete."),
        next_step=_AGAIN,
    ),
    RefusalCode.CAP_REACHED: RefusalWords(
        clerk=Text(
            zh="该用户在本企业名下的号码已达上限。", en="This person holds as many numbers as are allowed."
        ),
        subscriber=Text(
            zh="您名下的号码数量已达上限。", en="You already hold as many numbers as one person may."
        ),
        next_step=Text(
            zh="可先注销不用的号码；若有不是本人办理的号码，请提出异议。",
            en="Close a number that is not used; dispute one that is not the person's own.",
        ),
    ),
    RefusalCode.NUMBER_TAKEN: RefusalWords(
        clerk=Text(zh="该号码已在使用。", en="This number is in use."),
        subscriber=Text(zh="该号码已有人使用。", en="Somebody already uses this number."),
        next_step=Text(zh="请另选一个号码。", en="Choose another number."),
    ),
    RefusalCode.NUMBER_INVALID: RefusalWords(
        clerk=Text(
            zh="该号码不属于本地编号计划。",
            en="This number is not of the numbering plan of this jurisdiction.",
        ),
        subscriber=Text(zh="该号码无法登记。", en="This number cannot be registered here."),
        next_step=Text(zh="请核对号码和国家代码。", en="Compare the number and its country code."),
    ),
}
