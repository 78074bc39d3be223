"""Why a line or its holder does not let anything be transferred: shared by all topics of this feature."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode


class TransferLineRefusal(ReasonCode):
    """Reasons about the line, who holds it, and what is still open on it."""

    TRANSFER_ENTRY_NOT_ALLOWED = (
        "TRANSFER_ENTRY_NOT_ALLOWED",
        Text(zh="规则不允许办理该业务。", en="The rules in force do not allow this to be done with a line."),
        Text(zh="该业务目前不能办理。", en="This cannot be done at present."),
        Text(zh="请告知用户其他办理方式。", en="Tell the customer what can be done instead."),
    )
    TRANSFER_LINE_NOT_IN_SERVICE = (
        "TRANSFER_LINE_NOT_IN_SERVICE",
        Text(zh="该号码未开通或已终止。", en="The line is not in service yet, or has ended."),
        Text(zh="您的号码目前不在用。", en="Your line is not in service."),
        Text(
            zh="待网络确认开通后再办理。", en="Wait until the network has confirmed the line, then try again."
        ),
    )
    TRANSFER_LINE_STOPPED = (
        "TRANSFER_LINE_STOPPED",
        Text(
            zh="该号码因涉诈、争议或主管部门要求被停机。",
            en="The line is stopped for fraud, a dispute or by order.",
        ),
        Text(zh="您的号码正处于限制状态。", en="Your line is restricted at present."),
        Text(
            zh="请先按停机原因申诉，解除后再办理。",
            en="Appeal against the restriction first; come back when it is lifted.",
        ),
    )
    TRANSFER_HOLDER_NOT_PROVEN = (
        "TRANSFER_HOLDER_NOT_PROVEN",
        Text(
            zh="核验的人不是该号码的登记用户。",
            en="The person proven is not the registered holder of the line.",
        ),
        Text(zh="只有登记用户本人可以办理。", en="Only the registered holder can ask for this."),
        Text(zh="请登记用户本人重新核验。", en="Have the registered holder prove in a new session."),
    )
    TRANSFER_PORT_PENDING = (
        "TRANSFER_PORT_PENDING",
        Text(zh="该号码有未完成的携号转网。", en="A port of this number is under way."),
        Text(zh="您的号码正在办理携号转网。", en="Your number is being ported."),
        Text(zh="请先完成或取消携号转网。", en="Complete or cancel the port first."),
    )
    TRANSFERS_BARRED = (
        "TRANSFERS_BARRED",
        Text(
            zh="因违规转让、出租、出借被处置，暂不得办理过户。",
            en="This person is barred from transfers: a line was sold, rented out or lent.",
        ),
        Text(zh="您目前不能办理过户。", en="You cannot transfer lines at present."),
        Text(
            zh="可对处置提出申诉，成立的立即解除。",
            en="The sanction can be appealed; if upheld it is lifted at once.",
        ),
    )
    ARREARS_OWED = (
        "ARREARS_OWED",
        Text(zh="该号码有未结清的费用。", en="There are unpaid charges on this line."),
        Text(zh="请先结清费用。", en="Please settle what is owed first."),
        Text(zh="结清费用后再办理。", en="Try again when the bill is paid."),
    )
    ARREARS_UNKNOWN = (
        "ARREARS_UNKNOWN",
        Text(
            zh="计费系统没有答复，无法确认费用是否结清。",
            en="Billing did not say whether everything is paid.",
        ),
        Text(zh="暂时无法确认您的费用情况。", en="We cannot confirm your account at the moment."),
        Text(
            zh="请稍后重试，或由营业员核对账单后登记凭据编号。",
            en="Try again later, or look at the account and record an attestation with its reference.",
        ),
    )
    TRANSFER_ORDER_MISSING = (
        "TRANSFER_ORDER_MISSING",
        Text(zh="该核验会话没有对应的办理单。", en="The session has no order of this kind for this line."),
        Text(zh="没有找到您的办理申请。", en="We cannot find what you asked for."),
        Text(zh="请先为该会话建立办理单。", en="Open an order for the session first."),
    )
