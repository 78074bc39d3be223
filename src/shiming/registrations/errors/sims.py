"""Why a card does not go into a line."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_ANOTHER_CARD = Text(zh="请换用库存中的另一张卡。", en="Take another card from the stock.")
_SUBSCRIBER = Text(zh="这张卡不能使用。", en="This card cannot be used.")


class SimRefusal(ReasonCode):
    """Reasons about the card and the line."""

    SIM_UNKNOWN = (
        "SIM_UNKNOWN",
        Text(zh="本企业库存中没有这张卡。", en="The card is not in the stock of this operator."),
        _SUBSCRIBER,
        Text(
            zh="请核对ICCID，或先导入库存。", en="Compare the ICCID, or import the card into the stock first."
        ),
    )
    SIM_ASSIGNED = (
        "SIM_ASSIGNED",
        Text(zh="这张卡已用于另一号码。", en="The card is in another line."),
        _SUBSCRIBER,
        _ANOTHER_CARD,
    )
    SIM_RETIRED = (
        "SIM_RETIRED",
        Text(zh="这张卡已作废。", en="The card is retired and never used again."),
        _SUBSCRIBER,
        _ANOTHER_CARD,
    )
    LINE_WITHOUT_SIM = (
        "LINE_WITHOUT_SIM",
        Text(zh="此类号码不使用SIM卡。", en="A line of this kind has no card."),
        Text(zh="您的业务不需要SIM卡。", en="Your line needs no card."),
        Text(zh="请核对号码。", en="Compare the line."),
    )
    LINE_HAS_SIM = (
        "LINE_HAS_SIM",
        Text(zh="该号码已有SIM卡。", en="The line has a card already."),
        Text(zh="您的号码已有SIM卡。", en="Your line has a card already."),
        Text(zh="请办理补换卡。", en="Have the card replaced instead."),
    )
    LINE_WITHOUT_FORMER_SIM = (
        "LINE_WITHOUT_FORMER_SIM",
        Text(zh="该号码还没有SIM卡，不能换卡。", en="The line has no card that could be replaced."),
        Text(zh="您的号码还没有SIM卡。", en="Your line has no card yet."),
        Text(zh="请先配卡。", en="Put a first card in."),
    )
    LINE_ENDED = (
        "LINE_ENDED",
        Text(zh="该号码已注销。", en="The line is terminated."),
        Text(zh="该号码已经注销。", en="This line has ended."),
        Text(zh="请重新办理入网。", en="Register a new line."),
    )
