"""Why a new proof does not put a line right whose holder came of age, or whose document ran out."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_AGAIN = Text(zh="请机主本人重新核验一次。", en="Let the holder prove themselves, in a new session.")
_NOT_PROVEN = Text(zh="您的身份尚未核验通过。", en="Your identity is not verified yet.")


class HandoverRefusal(ReasonCode):
    """Reasons about the new proof, the person and the document."""

    HANDOVER_NOT_DUE = (
        "HANDOVER_NOT_DUE",
        Text(zh="该号码没有需要补办的事项。", en="Nothing of this line waits for a new proof."),
        Text(zh="您的号码目前无需补办。", en="Your line needs nothing now."),
        Text(zh="请核对号码。", en="Compare the number of the line."),
    )
    HANDOVER_NOT_PROVEN = (
        "HANDOVER_NOT_PROVEN",
        Text(zh="该会话未通过身份核验。", en="This session did not end in Verified."),
        _NOT_PROVEN,
        _AGAIN,
    )
    HANDOVER_PROOF_TOO_OLD = (
        "HANDOVER_PROOF_TOO_OLD",
        Text(zh="核验已超过有效时间。", en="The session was decided too long ago."),
        Text(zh="您的身份核验已过期。", en="The check of your identity has expired."),
        _AGAIN,
    )
    HANDOVER_OF_OTHER_OPERATOR = (
        "HANDOVER_OF_OTHER_OPERATOR",
        Text(zh="该会话属于其他运营企业。", en="This session belongs to another operator."),
        Text(zh="您的身份是为另一家企业核验的。", en="Your identity was checked for another company."),
        _AGAIN,
    )
    HANDOVER_REHEARSED = (
        "HANDOVER_REHEARSED",
        Text(
            zh="该会话的动作由人指定，属于演练。",
            en="The challenge of this session was chosen by hand: a rehearsal.",
        ),
        Text(zh="此次核验仅供演练。", en="This was a rehearsal."),
        _AGAIN,
    )
    HANDOVER_SESSION_USED = (
        "HANDOVER_SESSION_USED",
        Text(zh="该会话已用于另一次办理。", en="This session has been used for something else."),
        Text(zh="一次核验只能办理一次业务。", en="One check of your identity serves one matter."),
        _AGAIN,
    )
    HANDOVER_NOT_THE_HOLDER = (
        "HANDOVER_NOT_THE_HOLDER",
        Text(zh="核验的人不是该号码的机主。", en="The proven person is not the holder of this line."),
        Text(zh="请由机主本人办理。", en="Only the holder can do this."),
        Text(
            zh="请机主本人核验；换人使用请办理过户。",
            en="Prove the holder; for another person ask for a change of holder.",
        ),
    )
    HANDOVER_NOT_RECORDED = (
        "HANDOVER_NOT_RECORDED",
        Text(
            zh="该会话没有留存证件信息。",
            en="The document is not recorded for this session.",
        ),
        Text(zh="您的登记信息不完整。", en="The record of your identity is not complete."),
        _AGAIN,
    )
    HOLDER_STILL_MINOR = (
        "HOLDER_STILL_MINOR",
        Text(zh="机主仍以未成年人身份核验。", en="The holder was proven as a minor."),
        Text(
            zh="您尚未成年，或未按成年人核验。", en="You are not of age yet, or were not proven as an adult."
        ),
        Text(zh="成年后请按成年人类别核验。", en="Prove them as an adult, once they are one."),
    )
    DOCUMENT_NOT_RENEWED = (
        "DOCUMENT_NOT_RENEWED",
        Text(zh="出示的仍是原有效期的证件。", en="It is the same document, or one that ends no later."),
        Text(zh="请使用换发后的新证件。", en="Please use your new document."),
        Text(zh="请用新证件重新核验。", en="Prove the holder with the renewed document."),
    )
    HANDOVER_LINE_TERMINATED = (
        "HANDOVER_LINE_TERMINATED",
        Text(zh="该号码已注销。", en="This line has ended."),
        Text(zh="该号码已注销。", en="Your line has ended."),
        Text(zh="请重新办理入网。", en="Open a new line."),
    )
