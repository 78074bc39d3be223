"""Stops of a line: why, how much, who; and what the holder is told about each reason.

Several stops may stand at once; the strictest decides, and one that is lifted leaves the others.
`set_stop` answers `StopSet | StopRefused`, `lift_stop` `StopLifted | StopRefused`, `confirm_line`
`LineConfirmed | StopRefused`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shiming.jurisdictions.model import StopActor, StopLevel, StopReason
from shiming.registrations.model.lines import Line, LineStatus
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.refusals import Refusal

#: How far the clock of who reports a stop may run before ours: more than NTP leaves, little for a person.
CLOCK_TOLERANCE = timedelta(seconds=30)
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9._:-]{0,63}")  # begins with a letter: never a telephone number


@dataclass(frozen=True, slots=True)
class StopWords:
    """What the holder of a stopped line may ask for: why, where to turn, and what to bring."""

    reason: Text
    remedy: Text
    materials: Text

    def to_json(self) -> dict[str, Any]:
        """Return the texts in both languages."""
        return {
            "reason": self.reason.to_json(),
            "remedy": self.remedy.to_json(),
            "materials": self.materials.to_json(),
        }


@dataclass(frozen=True, slots=True)
class LineStop:
    """One stop of one line; open until it is lifted, or ended together with its line."""

    stop_id: str
    line_id: str
    operator: str
    reason: StopReason
    level: StopLevel
    reference: str  # of the case, order or complaint that it rests on
    set_at: datetime
    set_by: StopActor
    set_account: str | None = None
    lifted_at: datetime | None = None
    lifted_by: StopActor | None = None
    lifted_account: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still stops the line."""
        return self.lifted_at is None

    @property
    def words(self) -> StopWords:
        """What the holder is told."""
        return WORDS[self.reason]


@dataclass(frozen=True, slots=True)
class StopSet:
    """The line is stopped for this reason. `repeated`: it was so already, and nothing changed."""

    stop: LineStop
    before: LineStatus
    after: LineStatus
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class StopLifted:
    """These stops are lifted; `after` says what the others leave of the line."""

    stops: tuple[LineStop, ...]
    before: LineStatus
    after: LineStatus


@dataclass(frozen=True, slots=True)
class LineConfirmed:
    """The network carries the line. `repeated`: it was confirmed before."""

    line_id: str
    before: LineStatus
    after: LineStatus
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class StopRefused:
    """Nothing was changed, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class LineStanding:
    """A line with all stops that it ever had, oldest first."""

    line: Line
    stops: tuple[LineStop, ...]

    @property
    def open_stops(self) -> tuple[LineStop, ...]:
        """The stops that stand."""
        return tuple(stop for stop in self.stops if stop.is_open)


def read_reference(text: str) -> str:
    """Return the reference that a stop rests on; raise BadInput for what could be a name or a number."""
    if not _REFERENCE.fullmatch(text):
        raise BadInput(
            "STOP_REFERENCE_FORMAT",
            Text(zh="依据编号格式不正确。", en="This is no reference of a case or an order."),
            Text(
                zh="以字母开头，只含字母、数字和 . _ : -，例如 CASE-2026-17；不要填写姓名或号码。",
                en="Begin with a letter; letters, digits, . _ : - only, such as CASE-2026-17; no names.",
            ),
        )
    return text


_SHOP = Text(zh="请到营业厅或拨打客服电话办理。", en="Come to a shop or call customer service.")
_APPEAL = Text(
    zh="如有异议，可向本企业申诉；我们核实后及时答复，核实无误的立即恢复。",
    en="If you object, appeal to us; we check, answer soon, and restore the line at once if you are right.",
)
_DOCUMENT = Text(zh="本人有效身份证件。", en="Your valid identity document.")

#: Reason, way of remedy and materials, as who is stopped may ask for them.
WORDS: Mapping[StopReason, StopWords] = {
    StopReason.UNREGISTERED: StopWords(
        Text(zh="该号码没有实名登记。", en="The number is not registered to a proven person."),
        Text(zh="请到营业厅或在线完成实名登记。", en="Register in a shop or online."),
        Text(
            zh="本人有效身份证件和该号码的卡。", en="Your valid identity document and the card of the number."
        ),
    ),
    StopReason.DISPUTE: StopWords(
        Text(
            zh="有人提出该号码不是本人办理。", en="The person it is registered to says that it is not theirs."
        ),
        _APPEAL,
        Text(
            zh="本人有效身份证件、入网合同或其他使用证明。",
            en="Your valid identity document, and the contract or other proof that you use the number.",
        ),
    ),
    StopReason.FRAUD: StopWords(
        Text(zh="该号码有涉诈异常。", en="The number shows signs of use for fraud."),
        Text(
            zh="请重新进行实名核验；如有异议可申诉，核实无误的立即恢复。",
            en="Prove your identity again; if you object, appeal, and the line is restored if you are right.",
        ),
        Text(
            zh="本人有效身份证件、号码用途说明。",
            en="Your valid identity document, and what the number is used for.",
        ),
    ),
    StopReason.REQUEST: StopWords(
        Text(zh="用户本人要求停机。", en="The holder asked for it."),
        _SHOP,
        _DOCUMENT,
    ),
    StopReason.LOST_SIM: StopWords(
        Text(zh="用户报失SIM卡。", en="The card was reported lost."),
        Text(zh="请到营业厅补卡或解除挂失。", en="Have the card replaced, or found again, in a shop."),
        _DOCUMENT,
    ),
    StopReason.REGULATOR_ORDER: StopWords(
        Text(zh="主管部门依法决定停机。", en="An authority ordered it by law."),
        Text(
            zh="可向作出决定的部门提出异议，也可由本企业转达。",
            en="Object to the authority that decided; we pass your objection on.",
        ),
        Text(
            zh="本人有效身份证件、异议说明和有关材料。",
            en="Your valid identity document, your objection and what supports it.",
        ),
    ),
    StopReason.DOCUMENT_EXPIRED: StopWords(
        Text(zh="登记使用的证件已过期。", en="The document that the line was registered with has expired."),
        Text(zh="请用新证件重新核验。", en="Prove your identity with the new document."),
        Text(zh="新的有效身份证件。", en="Your new document."),
    ),
    StopReason.HANDOVER_MISSED: StopWords(
        Text(
            zh="用户已成年，尚未由本人重新登记。",
            en="The holder has come of age and has not registered in person.",
        ),
        Text(zh="请本人完成实名核验。", en="Prove your identity in person."),
        _DOCUMENT,
    ),
    StopReason.ACTUAL_USER_LEFT: StopWords(
        Text(zh="登记的实际使用人已不再使用。", en="The registered actual user uses the line no more."),
        Text(
            zh="请单位登记新的实际使用人，或退回号码。",
            en="The organisation proves the next user, or gives the line back.",
        ),
        Text(zh="新使用人的有效身份证件。", en="The valid identity document of the next user."),
    ),
    StopReason.FENCE_BROKEN: StopWords(
        Text(zh="该卡超出了约定的使用范围。", en="The card was used outside what was agreed for it."),
        Text(
            zh="请购卡单位说明情况，并核对设备和使用场景。",
            en="The organisation explains the use and checks device and scene.",
        ),
        Text(zh="情况说明、设备清单。", en="An explanation and the list of devices."),
    ),
}
