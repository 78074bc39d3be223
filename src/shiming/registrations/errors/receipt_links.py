"""Why no receipt is sent to a line, and why a link to one does not work (any more)."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_ON_PAPER = Text(zh="请提供纸质回执或让用户拍摄二维码。", en="Give it out on paper, or show its code.")
_SEND_AGAIN = Text(zh="请重新发送回执短信。", en="Send the receipt to the line once more.")


class ReceiptLinkRefusal(ReasonCode):
    """Reasons about the message with a receipt, and about the link in it."""

    RECEIPT_LINE_ENDED = (
        "RECEIPT_LINE_ENDED",
        Text(zh="该线路已终止，收不到短信。", en="This line has ended: no message reaches it."),
        Text(zh="该号码已终止。", en="This line has ended."),
        _ON_PAPER,
    )
    RECEIPT_NO_CHANNEL = (
        "RECEIPT_NO_CHANNEL",
        Text(
            zh="该线路不能接收短信。",
            en="No message reaches this line: it takes none, is stopped, or an organisation's.",
        ),
        Text(zh="该号码目前不能接收短信。", en="No message can be sent to this line now."),
        _ON_PAPER,
    )
    RECEIPT_LINK_UNKNOWN = (
        "RECEIPT_LINK_UNKNOWN",
        Text(zh="回执链接无效。", en="This link to a receipt is none."),
        Text(
            zh="链接无效，请核对是否完整，或请运营企业重新发送。",
            en="This link does not work. See that it is whole, or ask your operator to send it again.",
        ),
        _SEND_AGAIN,
    )
    RECEIPT_LINK_REPLACED = (
        "RECEIPT_LINK_REPLACED",
        Text(zh="该回执链接已被新的链接取代。", en="A newer message took the place of this link."),
        Text(
            zh="已向您发送更新的短信，请使用其中的链接。", en="You were sent a newer message; use its link."
        ),
        Text(zh="请用户使用最新短信中的链接。", en="Let the person use the newest message."),
    )
    RECEIPT_LINK_EXPIRED = (
        "RECEIPT_LINK_EXPIRED",
        Text(zh="回执链接已过期。", en="The link to the receipt has expired."),
        Text(
            zh="链接已过期，请运营企业重新发送。",
            en="The time of this link is over. Ask your operator to send the receipt again.",
        ),
        _SEND_AGAIN,
    )
    RECEIPT_LINK_REVOKED = (
        "RECEIPT_LINK_REVOKED",
        Text(
            zh="该线路已终止或已更换机主。",
            en="The line has ended or has another holder: the link opens nothing.",
        ),
        Text(
            zh="此链接已失效：该号码已终止或已办理过户。",
            en="This link opens nothing any more: the line has ended, or has another holder.",
        ),
        _ON_PAPER,
    )
