"""Why a line cannot be repudiated."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_AGAIN = Text(zh="请本人重新核验一次。", en="Let the person prove themselves, in a new session.")
_OTHER_WAY = Text(
    zh="请按一般异议流程办理，由合规人员核查。",
    en="Take it as an ordinary dispute; compliance looks into it.",
)


class RepudiationRefusal(ReasonCode):
    """Reasons about the line, the time, and who speaks."""

    REPUDIATION_NOT_BY_PROXY = (
        "REPUDIATION_NOT_BY_PROXY",
        Text(zh="该号码不是由他人代办的。", en="Nobody acted for the holder when this line was registered."),
        Text(zh="该号码是本人核验后办理的。", en="This line was registered by a check of the holder alone."),
        _OTHER_WAY,
    )
    REPUDIATION_LATE = (
        "REPUDIATION_LATE",
        Text(zh="已超过否认期限。", en="The time in which no reason is needed is over."),
        Text(zh="已超过可直接否认的期限。", en="The time to object without giving a reason is over."),
        _OTHER_WAY,
    )
    REPUDIATED_ALREADY = (
        "REPUDIATED_ALREADY",
        Text(zh="该号码的异议已受理。", en="This line is disputed already, or the dispute was decided."),
        Text(zh="您的异议已受理。", en="Your objection was taken before."),
        Text(zh="请查询处理结果。", en="Look at how it stands."),
    )
    REPUDIATION_LINE_TERMINATED = (
        "REPUDIATION_LINE_TERMINATED",
        Text(zh="该号码已注销。", en="This line has ended."),
        Text(zh="该号码已注销。", en="This line has ended."),
        _OTHER_WAY,
    )
    NOT_THE_PRINCIPAL = (
        "NOT_THE_PRINCIPAL",
        Text(zh="核验的人不是该号码的机主。", en="The proven person is not the one the line stands for."),
        Text(zh="只有机主本人可以提出。", en="Only the person in whose name it stands can object."),
        Text(zh="请机主本人核验。", en="Prove the person in whose name the line stands."),
    )
    PRINCIPAL_PROOF_NOT_VERIFIED = (
        "PRINCIPAL_PROOF_NOT_VERIFIED",
        Text(zh="该会话未通过身份核验。", en="This session did not end in Verified."),
        Text(zh="您的身份尚未核验通过。", en="Your identity is not verified yet."),
        _AGAIN,
    )
    PRINCIPAL_PROOF_TOO_OLD = (
        "PRINCIPAL_PROOF_TOO_OLD",
        Text(zh="核验已超过有效时间。", en="The session was decided too long ago."),
        Text(zh="您的身份核验已过期。", en="The check of your identity has expired."),
        _AGAIN,
    )
    PRINCIPAL_PROOF_OF_OTHER_OPERATOR = (
        "PRINCIPAL_PROOF_OF_OTHER_OPERATOR",
        Text(zh="该会话属于其他运营企业。", en="This session belongs to another operator."),
        Text(zh="您的身份是为另一家企业核验的。", en="Your identity was checked for another company."),
        _AGAIN,
    )
    PRINCIPAL_PROOF_REHEARSED = (
        "PRINCIPAL_PROOF_REHEARSED",
        Text(zh="该会话属于演练。", en="The challenge of this session was chosen by hand: a rehearsal."),
        Text(zh="此次核验仅供演练。", en="This was a rehearsal."),
        _AGAIN,
    )
    PRINCIPAL_PROOF_USED = (
        "PRINCIPAL_PROOF_USED",
        Text(zh="该会话已用于另一次办理。", en="This session has been used for something else."),
        Text(zh="一次核验只能办理一次业务。", en="One check of your identity serves one matter."),
        _AGAIN,
    )
    REPUDIATION_CODE_WRONG = (
        "REPUDIATION_CODE_WRONG",
        Text(zh="验证码不正确或未发送。", en="The code is not the one that was sent."),
        Text(zh="验证码不正确。", en="This is not the code of your message."),
        Text(
            zh="请核对最近一条短信；也可本人核验后提出。",
            en="Compare the latest message, or prove the person instead.",
        ),
    )
    REPUDIATION_CODE_USED_UP = (
        "REPUDIATION_CODE_USED_UP",
        Text(zh="验证码错误次数过多。", en="Too many wrong codes were given."),
        Text(zh="验证码错误次数过多。", en="Too many wrong codes."),
        _AGAIN,
    )
    REPUDIATION_DECIDED = (
        "REPUDIATION_DECIDED",
        Text(zh="该异议已有处理结果。", en="This dispute has been decided."),
        Text(zh="您的异议已处理。", en="Your objection has been decided."),
        Text(zh="如有新情况，请另行提出。", en="Open another dispute if there is something new."),
    )
