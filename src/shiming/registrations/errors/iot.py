"""Why industry cards are refused: the company, the contract, the fence, the sale of one card."""

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.refusals import ReasonCode

_NOT_FOR_YOU = Text(zh="贵单位暂不能办理行业卡。", en="Your company cannot have industry cards yet.")
_FENCE = Text(
    zh="合同要求的功能超出该场景允许的范围。",
    en="The contract asks for more than this use allows.",
)
_NARROW = Text(zh="请按场景缩小功能后重新签订。", en="Narrow the functions to the scene and sign again.")


class IotContractRefusal(ReasonCode):
    """Reasons why no contract for industry cards is concluded."""

    IOT_ASSESSMENT_MISSING = (
        "IOT_ASSESSMENT_MISSING",
        Text(zh="签约前未做安全评估。", en="No security assessment was made before the contract."),
        _NOT_FOR_YOU,
        Text(zh="请先完成并登记安全评估。", en="Assess the company and record it (`shiming iot assess`)."),
    )
    IOT_ASSESSMENT_FAILED = (
        "IOT_ASSESSMENT_FAILED",
        Text(zh="该单位未通过安全评估。", en="The company did not pass its security assessment."),
        _NOT_FOR_YOU,
        Text(
            zh="整改后可重新评估；结果可以申诉。",
            en="Put it right and assess again, or appeal.",
        ),
    )
    IOT_ASSESSMENT_EXPIRED = (
        "IOT_ASSESSMENT_EXPIRED",
        Text(zh="安全评估已过有效期。", en="The security assessment has run out."),
        _NOT_FOR_YOU,
        Text(zh="请重新评估。", en="Assess the company again."),
    )
    IOT_SCENE_UNKNOWN = (
        "IOT_SCENE_UNKNOWN",
        Text(zh="规则中没有这个使用场景。", en="The rules know no such scene."),
        Text(zh="该用途不能办理行业卡。", en="There are no industry cards for this use."),
        Text(
            zh="请选择规则包列出的场景。",
            en="Choose one: `shiming packs show PACK iot_scenes`.",
        ),
    )
    IOT_NOT_SOLD = (
        "IOT_NOT_SOLD",
        Text(zh="规则中没有这类行业卡。", en="The rules know no industry cards of this traffic."),
        Text(zh="不能办理行业卡。", en="There are no industry cards here."),
        Text(zh="请改办其他产品。", en="Choose another product."),
    )
    IOT_CHANNEL_REFUSED = (
        "IOT_CHANNEL_REFUSED",
        Text(zh="行业卡不得通过该渠道销售。", en="Industry cards are not sold through this channel."),
        Text(zh="请到营业厅办理。", en="Please come to a shop of the operator."),
        Text(zh="请在允许的渠道重新办理。", en="Conclude it in a channel that the rules allow."),
    )
    IOT_RESALE_CLAUSE_MISSING = (
        "IOT_RESALE_CLAUSE_MISSING",
        Text(zh="合同缺少禁止转售条款。", en="The clause against resale is missing in the contract."),
        Text(zh="合同须约定不得转售、转借行业卡。", en="The contract has to say that cards are not resold."),
        Text(zh="请使用含该条款的合同文本。", en="Use a contract with this clause."),
    )


class FenceRefusal(ReasonCode):
    """Reasons why scene and contract make no fence."""

    FENCE_VOICE = (
        "FENCE_VOICE",
        Text(zh="该场景不开放语音。", en="This scene has no voice."),
        _FENCE,
        _NARROW,
    )
    FENCE_SMS = (
        "FENCE_SMS",
        Text(zh="该场景不开放短信。", en="This scene has no SMS."),
        _FENCE,
        _NARROW,
    )
    FENCE_DATA = (
        "FENCE_DATA",
        Text(zh="流量超过该场景上限。", en="The data cap is above that of the scene."),
        _FENCE,
        _NARROW,
    )
    FENCE_APN_MISSING = (
        "FENCE_APN_MISSING",
        Text(zh="未指定专用APN。", en="No access point is named."),
        Text(zh="合同须写明卡只能接入的APN。", en="The contract names the access points of the cards."),
        Text(zh="请补充APN白名单。", en="Name the access points."),
    )
    FENCE_TARGETS_MISSING = (
        "FENCE_TARGETS_MISSING",
        Text(zh="小流量卡未指定访问目标。", en="Little traffic goes to named targets; none is named."),
        Text(zh="合同须写明卡只能访问的地址。", en="The contract names what the cards may reach."),
        Text(zh="请补充访问目标白名单。", en="Name the hosts or addresses."),
    )
    FENCE_BINDING = (
        "FENCE_BINDING",
        Text(zh="该场景要求机卡绑定或区域限制。", en="This scene binds each card to a device or an area."),
        Text(zh="卡须绑定设备或区域。", en="Each card is bound to one device or one area."),
        Text(zh="请选择该场景允许的绑定方式。", en="Choose a binding that the scene allows."),
    )
    FENCE_AREA_MISSING = (
        "FENCE_AREA_MISSING",
        Text(zh="区域限制缺少区域。", en="The cards are bound to an area, and none is named."),
        Text(zh="合同须写明使用区域。", en="The contract names the area of the cards."),
        Text(zh="请补充区域。", en="Name the area."),
    )
    FENCE_IMEI_MISSING = (
        "FENCE_IMEI_MISSING",
        Text(zh="机卡绑定缺少设备IMEI。", en="The card is bound to a device, and its IMEI is missing."),
        Text(zh="须登记使用该卡的设备。", en="The device of the card has to be named."),
        Text(zh="请填写设备IMEI。", en="Give the IMEI of the device."),
    )


class IotSaleRefusal(ReasonCode):
    """Reasons why one card is not sold under a contract."""

    IOT_CONTRACT_CLOSED = (
        "IOT_CONTRACT_CLOSED",
        Text(zh="该合同已终止或暂停。", en="This contract has ended or is suspended."),
        Text(zh="该合同下不能再办卡。", en="No more cards are sold under this contract."),
        Text(zh="请重新签约，或处理暂停原因。", en="Conclude a new one, or settle the suspension."),
    )
    IOT_CARDS_USED_UP = (
        "IOT_CARDS_USED_UP",
        Text(zh="已达合同约定的卡数。", en="As many cards are sold as the contract says."),
        Text(zh="合同约定的卡已办完。", en="All cards of the contract are out."),
        Text(zh="请补签合同。", en="Conclude a contract for more."),
    )
    IOT_CARD_UNKNOWN = (
        "IOT_CARD_UNKNOWN",
        Text(zh="库存中没有这张卡。", en="This card is not in the stock."),
        Text(zh="该卡无法办理。", en="This card cannot be used."),
        Text(zh="请核对ICCID，或先导入库存。", en="Compare the ICCID, or import the card first."),
    )
    IOT_CARD_NOT_IN_STOCK = (
        "IOT_CARD_NOT_IN_STOCK",
        Text(zh="该卡已售出或已退回。", en="This card is sold or was returned."),
        Text(zh="该卡无法办理。", en="This card cannot be used."),
        Text(zh="请换一张库存卡。", en="Take another card from the stock."),
    )
    IOT_CARD_NOT_BOUND = (
        "IOT_CARD_NOT_BOUND",
        Text(zh="该卡未售出，或不绑定设备。", en="This card is not sold, or is bound to no device."),
        Text(zh="该卡无需更换绑定设备。", en="There is no device to change."),
        Text(zh="请核对ICCID和合同。", en="Compare the ICCID and the contract."),
    )
    IOT_DEVICE_BOUND = (
        "IOT_DEVICE_BOUND",
        Text(zh="该设备已绑定另一张卡。", en="Another card is bound to this device."),
        Text(zh="一台设备只能绑定一张卡。", en="One device has one card."),
        Text(zh="请先退回原卡，或核对IMEI。", en="Return the other card, or compare the IMEI."),
    )
    IOT_ACTUAL_USER_MISSING = (
        "IOT_ACTUAL_USER_MISSING",
        Text(zh="通用流量卡须登记实际使用人。", en="General traffic needs the actual user, proven."),
        Text(zh="须由实际使用人核验身份。", en="Whoever uses the card proves who they are."),
        Text(zh="请实际使用人完成身份核验。", en="Prove the actual user and name their session."),
    )
    IOT_ACTUAL_USER_CAP = (
        "IOT_ACTUAL_USER_CAP",
        Text(
            zh="该实际使用人名下的通用流量卡已达上限。",
            en="The actual user has as many as are allowed.",
        ),
        Text(zh="您名下的行业卡数量已达上限。", en="You already have as many as one person may."),
        Text(zh="可先退回不用的卡。", en="Return a card that is not used."),
    )


class EndUserRefusal(ReasonCode):
    """Reasons why a maker's report about one device is passed over."""

    CARD_NOT_OF_CONTRACT = (
        "CARD_NOT_OF_CONTRACT",
        Text(zh="该卡不是在此合同下售出的。", en="This card was not sold under this contract."),
        Text(zh="该设备的卡无法登记。", en="The card of this device cannot be registered."),
        Text(zh="请核对ICCID和合同。", en="Compare the ICCID and the contract."),
    )
    CARD_RETURNED = (
        "CARD_RETURNED",
        Text(zh="该卡已退回。", en="This card was returned."),
        Text(zh="该设备的卡已停用。", en="The card of this device is out of use."),
        Text(zh="请核对ICCID。", en="Compare the ICCID."),
    )
    BUYER_NOT_PROVEN = (
        "BUYER_NOT_PROVEN",
        Text(zh="购买人未核验身份。", en="The buyer is not proven."),
        Text(zh="购买带卡设备须核验身份。", en="Whoever buys a device with a card proves who they are."),
        Text(zh="请购买人完成身份核验。", en="Prove the buyer, and name the session."),
    )
    BUYER_UNKNOWN = (
        "BUYER_UNKNOWN",
        Text(zh="购买单位未登记。", en="The buying organisation is not registered."),
        Text(zh="购买单位须先登记。", en="Your organisation has to be registered first."),
        Text(zh="请先登记该单位。", en="Record the organisation."),
    )
    DEVICE_HAS_OTHER_CARD = (
        "DEVICE_HAS_OTHER_CARD",
        Text(zh="该设备已登记另一张卡。", en="This device is reported with another card."),
        Text(zh="一台设备只能用一张卡。", en="One device has one card."),
        Text(zh="请核对设备序列号和ICCID。", en="Compare serial number and ICCID."),
    )
    CARD_IN_OTHER_DEVICE = (
        "CARD_IN_OTHER_DEVICE",
        Text(zh="该卡已登记在另一台设备。", en="This card is reported in another device."),
        Text(zh="一张卡只能用于一台设备。", en="One card is in one device."),
        Text(zh="请核对设备序列号和ICCID。", en="Compare serial number and ICCID."),
    )


def resale_case_unknown() -> BadInput:
    """Return the error for a case that is not there."""
    return BadInput(
        "RESALE_CASE_UNKNOWN",
        Text(zh="没有这个转售案件。", en="There is no such case of resale."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def resale_case_closed() -> BadInput:
    """Return the error for a case that is decided, or was decided meanwhile."""
    return BadInput(
        "RESALE_CASE_CLOSED",
        Text(zh="该案件已有决定。", en="This case is decided."),
        Text(zh="如有异议请提出申诉。", en="Read it again; a decision can be appealed."),
    )


def resale_allowed() -> BadInput:
    """Return the error for a report of what the rules allow."""
    return BadInput(
        "RESALE_ALLOWED",
        Text(zh="现行规则不禁止转售。", en="The rules in force do not forbid resale."),
        Text(zh="无需举报。", en="There is nothing to report."),
    )
