"""Why an order cannot be opened, or not be registered as it stands."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_NEW_ORDER = Text(
    zh="请放弃此订单，按正确内容重新受理。", en="Abandon this order and open one that says what is wanted."
)
_CANNOT_BE_HAD = Text(zh="该业务不能这样办理。", en="This product cannot be had in this way.")
_INCOMPLETE = Text(zh="办理手续尚未完成。", en="Something is still missing for your line.")
_OTHER_NUMBER = Text(zh="请另选一个号码。", en="Choose another number.")
_NUMBER_NOT_AVAILABLE = Text(zh="该号码目前不能办理。", en="This number is not available.")


class OrderRefusal(ReasonCode):
    """Reasons about what was ordered, what it lacks, its number, and how fast lines come."""

    ORDER_MISSING = (
        "ORDER_MISSING",
        Text(zh="该会话没有受理订单。", en="There is no order for this session."),
        _INCOMPLETE,
        Text(zh="请先受理订单。", en="Open an order for the session first (`shiming orders open`)."),
    )
    ORDER_OF_OTHER_OPERATOR = (
        "ORDER_OF_OTHER_OPERATOR",
        Text(zh="该订单属于其他运营企业。", en="The order belongs to another operator."),
        _INCOMPLETE,
        _NEW_ORDER,
    )
    PRODUCT_NOT_OFFERED = (
        "PRODUCT_NOT_OFFERED",
        Text(zh="规则中没有该产品。", en="The rules know no such product."),
        _CANNOT_BE_HAD,
        _NEW_ORDER,
    )
    ENTRY_NOT_ALLOWED = (
        "ENTRY_NOT_ALLOWED",
        Text(zh="规则不允许此类入网手续。", en="The rules do not allow this kind of entry."),
        _CANNOT_BE_HAD,
        Text(zh="请改办允许的手续。", en="Offer an entry that the rules allow."),
    )
    ENTRY_OF_A_LINE = (
        "ENTRY_OF_A_LINE",
        Text(
            zh="该订单是对已有号码的变更，不能登记新号码。",
            en="This order changes a line that exists; it registers no new one.",
        ),
        _INCOMPLETE,
        Text(zh="请按变更手续办理。", en="Carry it out as the change that it is."),
    )
    CHANNEL_NOT_ALLOWED = (
        "CHANNEL_NOT_ALLOWED",
        Text(zh="该产品不得通过此渠道办理。", en="This product is not sold through this channel."),
        Text(zh="该业务不能在此渠道办理。", en="This product is not available here."),
        Text(zh="请到营业厅办理。", en="Send the customer to a channel that the rules name for it."),
    )
    CHANNEL_NOT_OF_SESSION = (
        "CHANNEL_NOT_OF_SESSION",
        Text(
            zh="订单的渠道与核验会话的渠道不一致。",
            en="The order names another channel than the one where the person was proven.",
        ),
        _INCOMPLETE,
        _NEW_ORDER,
    )
    HOLDER_KIND_NOT_ALLOWED = (
        "HOLDER_KIND_NOT_ALLOWED",
        Text(zh="该产品不向此类用户办理。", en="This product is not for this kind of holder."),
        Text(zh="该业务只对单位或只对个人办理。", en="This product is not for you: it has other holders."),
        Text(zh="请选择该用户可以办理的产品。", en="Offer a product that this holder may have."),
    )
    ORGANISATION_MISSING = (
        "ORGANISATION_MISSING",
        Text(zh="订单未写明单位用户。", en="The order names no organisation as the holder."),
        _INCOMPLETE,
        Text(zh="请先登记单位。", en="Register the organisation and name it in the order."),
    )
    ORGANISATION_NOT_EXAMINED = (
        "ORGANISATION_NOT_EXAMINED",
        Text(
            zh="单位线路须在单位合同下办理。",
            en="Lines of an organisation are opened under its contract, where its standing is examined.",
        ),
        _INCOMPLETE,
        Text(zh="请在单位合同下开通。", en="Open the line under the contract of the organisation."),
    )
    LINE_KIND_NOT_OF_PRODUCT = (
        "LINE_KIND_NOT_OF_PRODUCT",
        Text(zh="线路类型与产品不符。", en="Such a line is not what this product is made of."),
        _CANNOT_BE_HAD,
        _NEW_ORDER,
    )
    IDENTIFIER_NOT_ORDERED = (
        "IDENTIFIER_NOT_ORDERED",
        Text(zh="登记的号码与订单的号码不同。", en="Another number is registered than was ordered."),
        Text(zh="办理的号码与您选的号码不同。", en="This is not the number that you chose."),
        Text(
            zh="请登记订单中的号码，或先更改订单。",
            en="Register the number of the order, or change the order first.",
        ),
    )
    IDENTIFIER_NOT_OF_KIND = (
        "IDENTIFIER_NOT_OF_KIND",
        Text(
            zh="上网线路使用账号，其他线路使用电话号码。",
            en="An internet access line has an account, every other line a telephone number.",
        ),
        _NUMBER_NOT_AVAILABLE,
        Text(zh="请更改订单的号码或账号。", en="Change the identifier of the order."),
    )
    TERMS_NOT_ACCEPTED = (
        "TERMS_NOT_ACCEPTED",
        Text(zh="用户尚未同意服务协议。", en="The terms of service are not accepted."),
        Text(zh="请先阅读并同意服务协议。", en="Please read and accept the terms of service."),
        Text(zh="请记录用户对现行协议的同意。", en="Record the acceptance of the terms in force."),
    )
    LINE_NOT_CONFIRMED = (
        "LINE_NOT_CONFIRMED",
        Text(
            zh="用户尚未确认本次开通的号码数量。",
            en="The customer has not confirmed which lines are opened.",
        ),
        Text(zh="请确认本次开通一个新号码。", en="Please confirm that one new line is opened for you."),
        Text(
            zh="请用户复述确认码，或在本人设备上确认。",
            en="Let the customer read back the code, or confirm on a device of their own.",
        ),
    )
    OTHER_LINE_CONFIRMED = (
        "OTHER_LINE_CONFIRMED",
        Text(zh="用户确认的是另一个号码。", en="The customer confirmed another line than this one."),
        Text(zh="您确认的不是这个号码。", en="This is not the line that you confirmed."),
        Text(zh="请就此号码重新确认。", en="Have this very line confirmed."),
    )
    SIM_MISSING = (
        "SIM_MISSING",
        Text(zh="未登记SIM卡。", en="The SIM of the line is not known."),
        _INCOMPLETE,
        Text(zh="请扫描ICCID并选择实体卡或eSIM。", en="Scan the ICCID; say whether it is a card or an eSIM."),
    )
    SIM_TAKEN = (
        "SIM_TAKEN",
        Text(
            zh="这张SIM卡已用于另一号码，或已写入另一订单。",
            en="This SIM is in another line, or another order has named it.",
        ),
        Text(zh="这张SIM卡不能用于您的号码。", en="This SIM cannot be used for your line."),
        Text(
            zh="请换用另一张卡，或先放弃写有该卡的订单。",
            en="Take another card, or abandon the order that names this one.",
        ),
    )
    INSTALL_ADDRESS_MISSING = (
        "INSTALL_ADDRESS_MISSING",
        Text(zh="未登记装机地址。", en="The address where the line is installed is missing."),
        Text(zh="请提供装机地址。", en="Please say where the line is installed."),
        Text(zh="请登记装机地址。", en="Add the install address to the order."),
    )
    DONOR_NOT_CONFIRMED = (
        "DONOR_NOT_CONFIRMED",
        Text(
            zh="携出方尚未确认该号码的携转，或确认已过期。",
            en="The operator that gives this number up has not agreed to it, or no longer.",
        ),
        _INCOMPLETE,
        Text(
            zh="请先凭授权码向携出方确认。",
            en="Ask the donor with the authorisation code (`shiming transfers port-in`).",
        ),
    )
    NUMBER_NOT_IN_POOL = (
        "NUMBER_NOT_IN_POOL",
        Text(
            zh="该号码不在本企业此类线路的号段内。",
            en="The number lies in no block of this operator for such lines.",
        ),
        _NUMBER_NOT_AVAILABLE,
        _OTHER_NUMBER,
    )
    NUMBER_EXCLUDED = (
        "NUMBER_EXCLUDED",
        Text(zh="该号码在不得放号的范围内。", en="The number lies in a range that is never given out."),
        _NUMBER_NOT_AVAILABLE,
        _OTHER_NUMBER,
    )
    NUMBER_RESERVED = (
        "NUMBER_RESERVED",
        Text(zh="该号码已为他人预占。", en="The number is reserved for somebody else."),
        _NUMBER_NOT_AVAILABLE,
        _OTHER_NUMBER,
    )
    NUMBER_RESTING = (
        "NUMBER_RESTING",
        Text(zh="该号码注销不久，仍在冻结期。", en="The number rests after its last line was ended."),
        _NUMBER_NOT_AVAILABLE,
        _OTHER_NUMBER,
    )
    LINES_NOT_CONFIRMED = (
        "LINES_NOT_CONFIRMED",
        Text(
            zh="超出单位经办人确认的线路数量。",
            en="More lines than the handler of the organisation confirmed.",
        ),
        Text(zh="超出贵单位确认的数量。", en="These are more lines than your organisation confirmed."),
        Text(zh="请经办人确认更多数量。", en="Let the handler confirm a larger number."),
    )
    LINE_TOO_SOON = (
        "LINE_TOO_SOON",
        Text(zh="距上次办理的间隔不足。", en="Too little time has passed since this holder's last line."),
        Text(
            zh="您刚办理过号码，请稍后再来。", en="You registered a line a short time ago; come back later."
        ),
        Text(zh="请在规定间隔之后办理。", en="Wait until the gap that the rules name is over."),
    )
    LINES_OF_DAY_REACHED = (
        "LINES_OF_DAY_REACHED",
        Text(
            zh="该用户今日办理数量已达上限。", en="This holder registered as many lines today as are allowed."
        ),
        Text(zh="您今天办理的号码已达上限。", en="You cannot register another line today."),
        Text(zh="请次日办理，或核实异常办卡情形。", en="Let the customer come back on another day."),
    )
    REVIEW_REQUIRED = (
        "REVIEW_REQUIRED",
        Text(
            zh="数量已达标准，须经加强核查。",
            en="So many lines need an enhanced review before another is registered.",
        ),
        Text(zh="您的申请需要进一步核查。", en="Your request is reviewed by our staff first."),
        Text(
            zh="请提交加强核查，由主管或合规人员审批。",
            en="Ask for an enhanced review; a supervisor or compliance officer decides it.",
        ),
    )
    REVIEW_OWN = (
        "REVIEW_OWN",
        Text(zh="不得审批自己提交的核查。", en="Who asked for a review does not decide it."),
        Text(zh="您的申请正在核查。", en="Your request is being reviewed."),
        Text(zh="请由另一人审批。", en="Let somebody else decide."),
    )
    REVIEW_DECIDED = (
        "REVIEW_DECIDED",
        Text(zh="该核查已有结论。", en="This review is decided already."),
        Text(zh="您的申请已有结论。", en="Your request is decided."),
        Text(
            zh="请查看结论；如有新情况，可重新提交。", en="See the decision; ask anew when something changed."
        ),
    )
