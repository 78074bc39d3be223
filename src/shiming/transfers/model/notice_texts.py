"""What holders are told about transfers. No text names a person or a number."""

from shiming.registrations.model.notice_texts import NoticeText
from shiming.vocabulary.errors import Text

SIM_WAS_REPLACED = NoticeText(
    "sim_replaced",
    Text(
        zh="您名下的一个号码刚刚更换了SIM卡，短信将暂停一段时间。如非本人办理，请立即联系我们。",
        en="The SIM of one of your lines has just been replaced; SMS is paused for some hours. "
        "If this was not you, contact us at once.",
    ),
)
NEW_TERMS = NoticeText(
    "new_terms",
    Text(
        zh="我们的服务条款将更新，请查看并确认。不同意的，可在生效前办理终止。",
        en="Our terms of service change. Please read and accept them; if you do not agree, "
        "you can end your lines before they take effect.",
    ),
)
LINE_SANCTIONED = NoticeText(
    "line_sanctioned",
    Text(
        zh="因号码被私自转让、出租或出借，已采取限制措施。可携带本人有效证件及说明材料申诉，成立的立即解除。",
        en="Your line is restricted because it was sold, rented out or lent. You can appeal with your valid "
        "document and what explains it; upheld, the restriction is lifted at once.",
    ),
)
