"""What a copy of a document picture is marked with: operator, purpose, date (MIIT Order 25, article 9).

>>> from datetime import date
>>> mark = CopyMark("中国示例电信", "cn-example", Purpose.DISPUTE, date(2026, 5, 1), "DSP-2026-0001")
>>> say(mark, chinese=True).across
'中国示例电信 仅供纠纷处理使用 2026-05-01'
>>> say(mark, chinese=False).across
'cn-example - for a dispute only - 2026-05-01'
"""

from dataclasses import dataclass
from datetime import date

from shiming.privacy.model import Purpose
from shiming.vocabulary.errors import Text, Unavailable

PURPOSES = {
    Purpose.REGISTRATION: Text(zh="实名登记", en="registration"),
    Purpose.ASSISTED_REVIEW: Text(zh="人工复核", en="review by staff"),
    Purpose.DISPUTE: Text(zh="纠纷处理", en="a dispute"),
    Purpose.SUBJECT_ACCESS: Text(zh="本人查阅", en="access by the person"),
    Purpose.INSPECTION: Text(zh="主管部门检查", en="inspection"),
    Purpose.LAWFUL_REQUEST: Text(zh="依法调取", en="a lawful request"),
}


@dataclass(frozen=True, slots=True)
class CopyMark:
    """Who shows a copy, why, when, and in which case; `recipient` when it leaves the operator.

    `operator` is the name, `operator_code` its code, which is drawn where no typeface can write the name.
    """

    operator: str
    operator_code: str
    purpose: Purpose
    on: date
    case_reference: str
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class MarkWords:
    """The words of a mark: a line that is repeated across the picture, and lines that stand below it."""

    across: str
    below: tuple[str, ...]


def say(mark: CopyMark, *, chinese: bool) -> MarkWords:
    """Return the words: in Chinese and English, or with `chinese=False` in ASCII only.

    Raises Unavailable when neither name nor code of the operator can be written: a copy without the
    operator's name is none that article 9 allows.
    """
    purpose, day = PURPOSES[mark.purpose], mark.on.isoformat()
    operator = _operator(mark, chinese=chinese)
    english = f"Copy for {purpose.en} only, by {operator}, {day}. Case {mark.case_reference}."
    if mark.recipient and (chinese or mark.recipient.isascii()):
        english += f" Recipient: {mark.recipient}."
    if not chinese:
        return MarkWords(f"{operator} - for {purpose.en} only - {day}", (english,))
    below = f"本复制件由{operator}于{day}制作，仅供{purpose.zh}使用，他用无效。案件 {mark.case_reference}。"
    return MarkWords(f"{operator} 仅供{purpose.zh}使用 {day}", (below, english))


def _operator(mark: CopyMark, *, chinese: bool) -> str:
    for name in (mark.operator, mark.operator_code):
        if name.strip() and (chinese or name.isascii()):
            return name.strip()
    raise Unavailable(
        "WATERMARK_OPERATOR",
        Text(
            zh="无法在复制件上注明经营者名称，未出示任何内容。",
            en="The name of the operator cannot be written on the copy; nothing was shown.",
        ),
        Text(
            zh="请设置经营者名称，并安装中文字体（如 fonts-noto-cjk）。",
            en="Set the operator's name, and install a Chinese typeface such as fonts-noto-cjk.",
        ),
    )
