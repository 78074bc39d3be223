"""Why a key voice service is not opened, or a number does not get into the set of a line."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode


class KeyServiceRefusal(ReasonCode):
    """Reasons about the holder, who acts for it, and numbers to be shown."""

    CORPORATE_ONLY = (
        "KEY_SERVICE_CORPORATE_ONLY",
        Text(zh="该重点业务只对单位开放。", en="This key voice service is for organisations only."),
        Text(zh="该业务不对个人办理。", en="This service is not for private persons."),
        Text(zh="请以单位名义办理。", en="Apply in the name of the organisation."),
    )
    NOT_A_KEY_SERVICE = (
        "NOT_A_KEY_SERVICE",
        Text(zh="该产品不是重点语音业务。", en="This product is no key voice service."),
        Text(zh="该业务不能这样办理。", en="This product cannot be had in this way."),
        Text(zh="请按普通业务办理。", en="Open it as any other line."),
    )
    HANDLER_DIFFERS = (
        "HANDLER_DIFFERS",
        Text(zh="会话中的人不是该单位的经办人。", en="The session is not of the organisation's handler."),
        Text(zh="您不是该单位登记的经办人。", en="You are not the recorded handler of the organisation."),
        Text(zh="请由经办人核验，或先变更经办人。", en="Prove the handler, or name the new one first."),
    )
    NUMBER_NOT_OWN = (
        "NUMBER_NOT_OWN",
        Text(
            zh="该号码不在该单位名下，也没有授权材料。",
            en="The number is not the organisation's, and no authorisation is recorded.",
        ),
        Text(zh="该号码不能作为主叫显示。", en="This number cannot be shown by your line."),
        Text(zh="请上传号码所有人的授权材料。", en="Add the authorisation of whoever the number belongs to."),
    )
    LINE_ENDED = (
        "KEY_SERVICE_LINE_ENDED",
        Text(zh="该线路已终止。", en="This line has ended."),
        Text(zh="该业务已终止。", en="This service has ended."),
        Text(zh="请核对线路编号。", en="Compare the reference of the line."),
    )
    NUMBER_NOT_IN_SET = (
        "NUMBER_NOT_IN_SET",
        Text(zh="号码不在该线路的可显示范围内。", en="The number is not in the set of this line."),
        Text(zh="该号码未被授权。", en="This number is not authorised."),
        Text(zh="无需撤销。", en="There is nothing to withdraw."),
    )
