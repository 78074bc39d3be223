"""Why a number is not ported out or in."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_ANEW = Text(zh="请重新申请授权码。", en="Ask for a new authorisation code.")


class PortRefusal(ReasonCode):
    """Reasons about tenure, contracts, authorisation codes and the other operator."""

    PORT_NOT_OFFERED = (
        "PORT_NOT_OFFERED",
        Text(
            zh="规则没有规定携号转网，或该号码不能携转。",
            en="The rules name no number porting, or not for this line.",
        ),
        Text(zh="该号码不能携号转网。", en="This number cannot be ported."),
        Text(zh="请告知用户。", en="Tell the customer."),
    )
    PORT_TENURE = (
        "PORT_TENURE",
        Text(
            zh="以本人实名在网不足规定天数。",
            en="The line has been under the own real name for too few days.",
        ),
        Text(zh="您的号码在网时间不足。", en="Your number has not been yours here for long enough."),
        Text(zh="满规定天数后再申请。", en="Ask again when the number of days is reached."),
    )
    PORT_LOCKED_IN = (
        "PORT_LOCKED_IN",
        Text(zh="该号码有未到期的在网约定。", en="A contract still binds this line."),
        Text(zh="您的合约尚未到期。", en="Your contract has not run out."),
        Text(zh="请先解除约定或等待到期。", en="End the contract first, or wait until it runs out."),
    )
    PORT_LOCK_IN_UNKNOWN = (
        "PORT_LOCK_IN_UNKNOWN",
        Text(zh="无法确认是否有在网约定。", en="It is not known whether a contract binds this line."),
        Text(zh="暂时无法确认您的合约情况。", en="We cannot confirm your contract at the moment."),
        Text(zh="请稍后重试，或核对合约后登记凭据。", en="Try again later, or record an attestation."),
    )
    PORT_ALREADY_OPEN = (
        "PORT_ALREADY_OPEN",
        Text(zh="该号码已有有效的携转申请。", en="A port of this number is open already."),
        Text(zh="您的号码已在办理携号转网。", en="Your number is being ported already."),
        Text(
            zh="使用已发的授权码，或先取消。",
            en="Use the code that was given out, or cancel that port first.",
        ),
    )
    PORT_CODE_WRONG = (
        "PORT_CODE_WRONG",
        Text(zh="授权码不正确。", en="The authorisation code is not the one that was given out."),
        Text(zh="授权码不正确。", en="The authorisation code is wrong."),
        Text(zh="请核对授权码；多次错误将失效。", en="Compare the code; it ends after a few wrong ones."),
    )
    PORT_CODE_EXPIRED = (
        "PORT_CODE_EXPIRED",
        Text(
            zh="授权码已过期或尝试次数用尽。",
            en="The authorisation has expired, or its attempts are used up.",
        ),
        Text(zh="授权码已失效。", en="The authorisation code is no longer good."),
        _ANEW,
    )
    PORT_STATE = (
        "PORT_STATE",
        Text(zh="该携转申请已完成、取消或过期。", en="This port is completed, cancelled or expired."),
        Text(zh="该申请已结束。", en="This request has ended."),
        _ANEW,
    )
    PORT_HOLDER_CHANGED = (
        "PORT_HOLDER_CHANGED",
        Text(
            zh="授权后号码的用户或状态已变化。",
            en="The holder or status of the line changed after the authorisation.",
        ),
        Text(zh="号码情况已变化。", en="Something changed since you asked."),
        _ANEW,
    )
    PORT_NUMBER_OWN = (
        "PORT_NUMBER_OWN",
        Text(zh="该号码属于本企业号码资源，不需携入。", en="The number belongs to this operator's own pool."),
        Text(zh="该号码无需携入。", en="This number need not be ported in."),
        Text(zh="请按新入网办理。", en="Open it as a new line."),
    )
    PORT_NUMBER_IN_USE = (
        "PORT_NUMBER_IN_USE",
        Text(zh="该号码仍登记在用。", en="The number is still registered as in use."),
        Text(zh="该号码尚未释放。", en="The number has not been released yet."),
        Text(zh="等待携出方完成后再办理。", en="Wait until the operator that gives it up has finished."),
    )
    PORT_DONOR_REFUSED = (
        "PORT_DONOR_REFUSED",
        Text(
            zh="携出方不确认该授权。",
            en="The operator that gives the number up does not confirm the authorisation.",
        ),
        Text(zh="携出方没有确认您的申请。", en="Your former operator did not confirm the port."),
        Text(
            zh="请用户向携出方核实授权码。",
            en="The customer should compare the code with the former operator.",
        ),
    )
    PORT_DONOR_UNKNOWN = (
        "PORT_DONOR_UNKNOWN",
        Text(zh="携出方没有答复。", en="The operator that gives the number up did not answer."),
        Text(zh="暂时无法联系携出方。", en="Your former operator cannot be reached at the moment."),
        Text(zh="请稍后重试。", en="Try again later."),
    )
    PORT_CLOCK = (
        "PORT_CLOCK",
        Text(
            zh="授权的时间在未来，系统时钟可能有误。",
            en="The authorisation is from the future; a clock is wrong.",
        ),
        Text(zh="授权时间有误。", en="The time of the authorisation is not right."),
        Text(zh="请核对双方系统时钟后重新申请。", en="Compare the clocks, then ask for a new authorisation."),
    )
