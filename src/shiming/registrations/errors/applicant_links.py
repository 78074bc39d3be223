"""Why a link to an order on one's own phone does not work (any more), or not for this step."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_NEW_LINK = Text(zh="请重新生成链接。", en="Make a new link for the order.")


class ApplicantLinkRefusal(ReasonCode):
    """Reasons about the link, and about the card that it waits for."""

    APPLICANT_LINK_UNKNOWN = (
        "APPLICANT_LINK_UNKNOWN",
        Text(zh="链接无效。", en="This link is none."),
        Text(
            zh="链接无效，请核对是否完整，或向营业厅、网店索取新的链接。",
            en="This link does not work. See that it is whole, or ask the shop for a new one.",
        ),
        _NEW_LINK,
    )
    APPLICANT_LINK_EXPIRED = (
        "APPLICANT_LINK_EXPIRED",
        Text(zh="链接已过期。", en="The link has expired."),
        Text(
            zh="链接已过期，未留下您的任何材料。请向营业厅或网店索取新的链接。",
            en="The time of this link is over. Ask the shop where you ordered for a new one.",
        ),
        _NEW_LINK,
    )
    APPLICANT_LINK_REPLACED = (
        "APPLICANT_LINK_REPLACED",
        Text(zh="该链接已被新的链接取代。", en="A newer link took the place of this one."),
        Text(zh="您有一个更新的链接，请使用新的链接。", en="You were given a newer link; use that one."),
        Text(zh="请使用最新的链接。", en="Use the newest link."),
    )
    APPLICANT_LINK_REVOKED = (
        "APPLICANT_LINK_REVOKED",
        Text(zh="该链接已撤回。", en="This link was revoked."),
        Text(
            zh="营业厅或网店已撤回此链接，请与其联系。",
            en="The shop has taken this link back. Ask them what happens now.",
        ),
        _NEW_LINK,
    )
    APPLICANT_LINK_STOPPED = (
        "APPLICANT_LINK_STOPPED",
        Text(zh="用户已用此链接停止办理。", en="The applicant stopped by this link."),
        Text(
            zh="您已停止办理，不会开通任何号码。如需办理，请重新下单。",
            en="You stopped this. No line is opened. Order again if you want one.",
        ),
        Text(zh="如用户仍需办理，请重新下单。", en="Open a new order if the person wants one."),
    )
    APPLICANT_ORDER_GONE = (
        "APPLICANT_ORDER_GONE",
        Text(zh="订单已取消。", en="The order was given up."),
        Text(zh="此订单已取消，不会开通任何号码。", en="This order was given up. No line is opened."),
        Text(zh="如仍需办理，请重新下单。", en="Open a new order."),
    )
    APPLICANT_ORDER_REGISTERED = (
        "APPLICANT_ORDER_REGISTERED",
        Text(zh="订单已经完成登记。", en="This order has been registered already."),
        Text(
            zh="号码已经登记。如不是您本人办理，请联系客服。",
            en="The line is registered already. If this was not you, call the customer service.",
        ),
        Text(zh="请按销户或“非本人办理”处理。", en="End the line, or record that it is not theirs."),
    )
    APPLICANT_NOT_BEGUN_AGAIN = (
        "APPLICANT_NOT_BEGUN_AGAIN",
        Text(zh="不能通过此链接重新开始。", en="This cannot begin again by its link."),
        Text(
            zh="时间已到，不能通过此链接重新开始，请联系营业厅或网店。",
            en="The time is over. Ask the shop or the online store to begin with you once more.",
        ),
        Text(zh="请在受理页面重新开始，或重新下单。", en="Begin again at the counter, or open a new order."),
    )
    APPLICANT_SESSIONS_USED_UP = (
        "APPLICANT_SESSIONS_USED_UP",
        Text(zh="此链接重新开始的次数已用完。", en="The link was begun again as often as it may be."),
        Text(
            zh="重新开始的次数已用完，请向营业厅或网店索取新的链接，或到营业厅办理。",
            en="You began as often as this link allows. Ask the shop for a new link, or come to a shop.",
        ),
        _NEW_LINK,
    )
    APPLICANT_CARD_WRONG = (
        "APPLICANT_CARD_WRONG",
        Text(zh="卡号末四位不符。", en="These are not the last digits of the ordered card."),
        Text(
            zh="末四位不符，请核对卡上印的号码。",
            en="These are not the last four digits of the card that was sent to you. Look again.",
        ),
        Text(zh="请核对寄出的卡。", en="Compare which card was sent."),
    )
    APPLICANT_CARD_TRIES_USED_UP = (
        "APPLICANT_CARD_TRIES_USED_UP",
        Text(zh="核对卡号的次数已用完。", en="The card was answered wrongly too often."),
        Text(
            zh="次数已用完，请联系客服或到营业厅激活。",
            en="That was wrong too often. Call the customer service, or come to a shop with the card.",
        ),
        Text(zh="核对本人和卡后，请生成新的链接。", en="Compare person and card, then make a new link."),
    )
    APPLICANT_CARD_NOT_AWAITED = (
        "APPLICANT_CARD_NOT_AWAITED",
        Text(zh="尚未接受协议，不能激活。", en="The contract is not accepted yet; nothing is activated."),
        Text(zh="请先阅读并同意服务协议。", en="Read the terms and agree to them first."),
        Text(zh="请用户先接受协议。", en="Let the person accept the terms first."),
    )
