"""What can be wrong with an order to the network, and why one waits or failed."""

from enum import StrEnum

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.refusals import ReasonCode


class WaitReason(StrEnum):
    """Why an order is not with the network."""

    NO_BSS = "NO_BSS"  # the operator has named none: confirm by hand, or name one
    NOT_IN_NETWORK = "NOT_IN_NETWORK"  # the order that adds the line has failed
    EARLIER_ORDER = "EARLIER_ORDER"  # of the same line, not finished


class ProvisioningRefusal(ReasonCode):
    """Why a service in a network is not in order."""

    SERVICE_UNREGISTERED = (
        "SERVICE_UNREGISTERED",
        Text(zh="网络中有未登记的业务。", en="The network serves a line that nobody registered."),
        Text(zh="该号码未办理实名登记。", en="This line is not registered in anybody's name."),
        Text(
            zh="请通知使用人补办登记；可用 lines reconcile --repair --stop-unknown 停机。",
            en="Have its user register; stop it by lines reconcile --repair --stop-unknown.",
        ),
    )
    SERVICE_OUTLIVES_LINE = (
        "SERVICE_OUTLIVES_LINE",
        Text(zh="线路已注销，网络仍在提供服务。", en="The line has ended, and the network still holds it."),
        Text(zh="该号码已注销，不能继续使用。", en="This line has ended and must not be used."),
        Text(zh="请用 lines reconcile --repair 重新下单。", en="Order it anew: lines reconcile --repair."),
    )


def order_unknown() -> BadInput:
    """Return the error for an order that there is not, or that is another operator's."""
    return BadInput(
        "SERVICE_ORDER_UNKNOWN",
        Text(zh="没有该服务订单。", en="There is no such service order."),
        Text(zh="请查看 shiming provisioning list。", en="See `shiming provisioning list`."),
    )


def line_unknown() -> BadInput:
    """Return the error for a line that there is not."""
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有该线路。", en="There is no such line."),
        Text(zh="请核对线路编号。", en="Compare the reference of the line."),
    )


def order_not_failed() -> BadInput:
    """Return the error for sending an order again that has not failed."""
    return BadInput(
        "SERVICE_ORDER_NOT_FAILED",
        Text(zh="该服务订单没有失败。", en="This service order has not failed."),
        Text(zh="只能重发失败的订单。", en="Only one that failed is sent again."),
    )


def order_not_held() -> BadInput:
    """Return the error for confirming by hand what a BSS will say itself."""
    return BadInput(
        "SERVICE_ORDER_NOT_HELD",
        Text(zh="该订单不能手工确认。", en="This order cannot be confirmed by hand."),
        Text(
            zh="只能确认运营企业没有 BSS 时最早的未完成订单。",
            en="Only the oldest open order of a line may be, while the operator has no BSS.",
        ),
    )


def confirmation_invalid() -> BadInput:
    """Return the error for a confirmation without a usable reference."""
    return BadInput(
        "CONFIRMATION_REFERENCE_INVALID",
        Text(zh="确认依据编号格式不正确。", en="The reference of the confirmation is not usable."),
        Text(
            zh="请填写工单编号（字母、数字、连字符，最多 64 个字符）。",
            en="Give the ticket's reference: letters, digits, hyphens, at most 64; no telephone number.",
        ),
    )


def profile_invalid() -> BadInput:
    """Return the error for a profile that no network could follow."""
    return BadInput(
        "PROFILE_INVALID",
        Text(zh="业务配置格式不正确。", en="This provisioning profile is not valid."),
        Text(
            zh="名称为小写字母和下划线，值为文本、整数、布尔值或文本列表。",
            en="Names are lower-case words with underscores; values text, numbers, yes/no, lists of text.",
        ),
    )


def callback_refused() -> BadInput:
    """Return the error for a callback that is not what TMF641 says."""
    return BadInput(
        "CALLBACK_INVALID",
        Text(zh="回调内容不符合 TMF641。", en="The callback is no TMF641 ServiceOrderStateChangeEvent."),
        Text(
            zh="请发送 event.serviceOrder.{id, state}。",
            en="Send event.serviceOrder with id, externalId and state.",
        ),
    )


def bss_unknown() -> BadInput:
    """Return the error for an operator without a BSS."""
    return BadInput(
        "BSS_UNKNOWN",
        Text(zh="该运营企业没有登记 BSS。", en="This operator has no BSS here."),
        Text(zh="请用 shiming bss add 登记。", en="Name it by `shiming bss add`."),
    )


def reconciliation_unknown() -> BadInput:
    """Return the error for a comparison that there is not, or that is another operator's."""
    return BadInput(
        "RECONCILIATION_UNKNOWN",
        Text(zh="没有该对账记录。", en="There is no such reconciliation."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def bss_token_invalid() -> BadInput:
    """Return the error for a token that could not stand in a header."""
    return BadInput(
        "BSS_TOKEN_INVALID",
        Text(zh="BSS 访问令牌格式不正确。", en="This is no bearer token."),
        Text(zh="请提供可见 ASCII 字符，最多 2000 个。", en="Give visible ASCII characters, at most 2000."),
    )
