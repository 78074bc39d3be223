"""Why a registration can be refused. A refusal is a value, foreseen by the rules, never an exception."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_AGAIN = Text(zh="请重新进行一次身份核验。", en="Prove the person once more, in a new session.")


class RefusalCode(ReasonCode):
    """Reasons about the session, the record of the identity, the cap and the number."""

    SESSION_UNKNOWN = (
        "SESSION_UNKNOWN",
        Text(zh="没有这个核验会话。", en="There is no such proofing session."),
        Text(zh="找不到您的身份核验记录。", en="We cannot find the check of your identity."),
        Text(zh="请核对会话编号，或重新核验。", en="Compare the session reference, or prove again."),
    )
    SESSION_NOT_VERIFIED = (
        "SESSION_NOT_VERIFIED",
        Text(zh="该会话未通过身份核验。", en="This session did not end in Verified."),
        Text(zh="您的身份尚未核验通过。", en="Your identity is not verified yet."),
        Text(
            zh="请按核验回执中的原因处理，或转人工复核。",
            en="Follow the reasons in the decision receipt, or ask for an assisted review.",
        ),
    )
    SESSION_CONSUMED = (
        "SESSION_CONSUMED",
        Text(zh="该会话已登记过另一个号码。", en="This session has already registered another number."),
        Text(zh="一次核验只能登记一个号码。", en="One check of your identity registers one number only."),
        _AGAIN,
    )
    SESSION_TOO_OLD = (
        "SESSION_TOO_OLD",
        Text(zh="核验已超过有效时间。", en="The session was decided too long ago."),
        Text(zh="您的身份核验已过期。", en="The check of your identity has expired."),
        _AGAIN,
    )
    SESSION_OF_OTHER_OPERATOR = (
        "SESSION_OF_OTHER_OPERATOR",
        Text(zh="该会话属于其他运营企业。", en="This session belongs to another operator."),
        Text(zh="您的身份是为另一家企业核验的。", en="Your identity was checked for another company."),
        _AGAIN,
    )
    CHALLENGE_CHOSEN = (
        "CHALLENGE_CHOSEN",
        Text(
            zh="该会话的动作和数字由人指定，而非系统随机抽取。",
            en="The challenge of this session was chosen by hand, not drawn by the system.",
        ),
        Text(
            zh="此次核验仅供演练，不能办理入网。",
            en="This was a rehearsal; it cannot register a line.",
        ),
        Text(
            zh="请用系统抽取的动作和数字重新核验。",
            en="Prove again with a challenge that the system draws (`shiming challenge`).",
        ),
    )
    IDENTITY_NOT_RECORDED = (
        "IDENTITY_NOT_RECORDED",
        Text(
            zh="该会话没有留存证件类型、号码、姓名和住址。",
            en="Document type, number, name and address are not recorded for this session.",
        ),
        Text(zh="您的登记信息不完整。", en="The record of your identity is not complete."),
        _AGAIN,
    )
    CAP_REACHED = (
        "CAP_REACHED",
        Text(zh="该用户在本企业名下的号码已达上限。", en="This person holds as many numbers as are allowed."),
        Text(zh="您名下的号码数量已达上限。", en="You already hold as many numbers as one person may."),
        Text(
            zh="可先注销不用的号码；若有不是本人办理的号码，请提出异议。",
            en="Close a number that is not used; dispute one that is not the person's own.",
        ),
    )
    NUMBER_TAKEN = (
        "NUMBER_TAKEN",
        Text(zh="该号码已在使用。", en="This number is in use."),
        Text(zh="该号码已有人使用。", en="Somebody already uses this number."),
        Text(zh="请另选一个号码。", en="Choose another number."),
    )
    NUMBER_INVALID = (
        "NUMBER_INVALID",
        Text(
            zh="该号码不属于本地编号计划。",
            en="This number is not of the numbering plan of this jurisdiction.",
        ),
        Text(zh="该号码无法登记。", en="This number cannot be registered here."),
        Text(zh="请核对号码和国家代码。", en="Compare the number and its country code."),
    )
