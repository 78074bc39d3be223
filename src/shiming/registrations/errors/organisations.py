"""Why an organisation gets no line yet, or no more."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_INCOMPLETE = Text(zh="单位资料尚不齐全。", en="The papers of your organisation are not complete yet.")


class OrganisationRefusal(ReasonCode):
    """Reasons about what an organisation brings and who acts for it."""

    LICENCE_MISSING = (
        "LICENCE_MISSING",
        Text(zh="没有营业执照或登记证书的影像。", en="There is no image of the licence."),
        _INCOMPLETE,
        Text(zh="请拍摄并上传证照原件。", en="Photograph the original licence and add it."),
    )
    LEGAL_REPRESENTATIVE_MISSING = (
        "LEGAL_REPRESENTATIVE_MISSING",
        Text(zh="没有登记法定代表人。", en="The legal representative is not recorded."),
        _INCOMPLETE,
        Text(zh="请按证照登记法定代表人姓名。", en="Record the name that the licence gives."),
    )
    HANDLER_NOT_PROVEN = (
        "HANDLER_NOT_PROVEN",
        Text(zh="经办人未经实人核验。", en="The handler is not proven."),
        Text(zh="经办人需要核验身份。", en="Whoever acts for your organisation has to be proven."),
        Text(zh="请核验经办人，并用其会话办理。", en="Prove the handler and name the session."),
    )
    POWER_OF_ATTORNEY_MISSING = (
        "POWER_OF_ATTORNEY_MISSING",
        Text(zh="没有经办人的授权书。", en="There is no power of attorney of the handler."),
        Text(zh="请提供单位的授权书。", en="Bring the power of attorney of your organisation."),
        Text(zh="请上传盖章的授权书并登记有效期。", en="Add the signed paper and until when it holds."),
    )
    POWER_OF_ATTORNEY_EXPIRED = (
        "POWER_OF_ATTORNEY_EXPIRED",
        Text(zh="经办人的授权已过期。", en="The authority of the handler has run out."),
        Text(zh="授权书已过期。", en="The power of attorney has expired."),
        Text(zh="请提供新的授权书。", en="Bring a new power of attorney."),
    )
    POWER_OF_ATTORNEY_TOO_LONG = (
        "POWER_OF_ATTORNEY_TOO_LONG",
        Text(zh="授权期限超过允许的最长时间。", en="The authority is for longer than is allowed."),
        Text(zh="授权书的期限过长。", en="The power of attorney is for too long a time."),
        Text(zh="请提供期限较短的授权书。", en="Bring one for a shorter time."),
    )
    RESPONSIBLE_PERSON_MISSING = (
        "RESPONSIBLE_PERSON_MISSING",
        Text(zh="没有登记责任人。", en="No responsible person is recorded."),
        _INCOMPLETE,
        Text(
            zh="请核验责任人，或登记其姓名。",
            en="Prove the person who answers for the lines, or record the name.",
        ),
    )
    ORGANISATION_SUSPENDED = (
        "ORGANISATION_SUSPENDED",
        Text(zh="该单位已被暂停办理。", en="This organisation is suspended."),
        Text(zh="贵单位暂不能办理新业务。", en="Your organisation gets no new lines at present."),
        Text(zh="请联系合规部门了解原因和申诉办法。", en="Ask compliance for the reason and how to appeal."),
    )
    ORGANISATION_CLOSED = (
        "ORGANISATION_CLOSED",
        Text(zh="该单位已注销。", en="This organisation is closed."),
        Text(zh="贵单位的账户已注销。", en="The account of your organisation is closed."),
        Text(zh="请重新登记单位。", en="Record the organisation anew."),
    )
