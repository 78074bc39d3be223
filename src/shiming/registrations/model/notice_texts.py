"""What holders are told. No text names a person or a number: a message may be read over a shoulder."""

from collections.abc import Mapping
from dataclasses import dataclass

from shiming.registrations.model.holder_clocks import ClockKind, ClockStep
from shiming.vocabulary.errors import Text


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A template: its code, which logs and reports show, and its words."""

    template: str
    text: Text


PROXY_REGISTERED = NoticeText(
    "proxy_registered",
    Text(
        zh="有人代您办理了一个新号码。如非您本人意愿，请凭验证码{code}向我们提出异议；请勿告知他人。",
        en="Somebody registered a new line in your name. If you did not want it, object with code {code}; "
        "tell the code to nobody else.",
    ),
)
ACTUAL_USER_LINK = NoticeText(
    "actual_user_link",
    Text(
        zh="单位为您登记了一个号码，请用本人手机打开链接核验身份：{link} 请勿转发。",
        en="Your organisation has a line for you. Prove your identity on your own phone: {link} Pass it on "
        "to nobody.",
    ),
)
RECEIPT_LINK = NoticeText(
    "receipt_link",
    Text(
        zh="您的号码已完成实名登记，登记回执：{link} 请勿转发；如非您本人办理，打开链接查看处理方法。",
        en="This line is registered. Its receipt: {link} Pass it on to nobody. Not yours? The page says "
        "what to do.",
    ),
)
CLOCK_TEXTS: Mapping[tuple[ClockKind, ClockStep], NoticeText] = {
    (ClockKind.MAJORITY, ClockStep.REMIND): NoticeText(
        "handover_reminder",
        Text(
            zh="机主即将成年，请届时由本人办理实名核验，逾期将停止呼出。",
            en="The holder of this line comes of age soon: prove your identity in person then, or outgoing "
            "service stops after the time of grace.",
        ),
    ),
    (ClockKind.MAJORITY, ClockStep.STOP): NoticeText(
        "handover_stopped",
        Text(
            zh="机主成年后未由本人核验，已停止呼出；本人核验后立即恢复。",
            en="The holder came of age and was not proven in person: outgoing service is stopped, and "
            "restored at once by that proof.",
        ),
    ),
    (ClockKind.DOCUMENT_EXPIRY, ClockStep.REMIND): NoticeText(
        "document_reminder",
        Text(
            zh="您登记使用的证件即将到期，请用新证件重新核验，逾期将停止呼出。",
            en="The document that this line was registered with expires soon: prove your identity with the "
            "new one, or outgoing service stops after the time of grace.",
        ),
    ),
    (ClockKind.DOCUMENT_EXPIRY, ClockStep.STOP): NoticeText(
        "document_stopped",
        Text(
            zh="您登记使用的证件已过期，已停止呼出；用新证件核验后立即恢复。",
            en="The document of this line has expired: outgoing service is stopped, and restored at once by "
            "a proof with the new one.",
        ),
    ),
}
