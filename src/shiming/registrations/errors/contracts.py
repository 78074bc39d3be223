"""Why terms are not published or not accepted, and why a confirmation does not count."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_SHOW_CURRENT = Text(
    zh="请向用户出示现行版本，由用户重新确认。",
    en="Show the customer the terms in force, and let them accept those.",
)
_NEW_CODE = Text(
    zh="请向用户重新发送确认码。",
    en="Send the customer a new confirmation code.",
)
_READ_ALOUD = Text(
    zh="请核对手机上显示的内容后再确认。",
    en="Read what your telephone shows, then confirm.",
)


class TermsRefusal(ReasonCode):
    """Reasons about publishing and accepting terms of service."""

    TRANSFER_CLAUSE_MISSING = (
        "TRANSFER_CLAUSE_MISSING",
        Text(
            zh="服务协议缺少禁止转让、转售的条款。",
            en="The terms lack the clause against transfer and resale.",
        ),
        Text(zh="该版本服务协议未发布。", en="These terms were not published."),
        Text(
            zh="请加入名为 transfer_and_resale 的条款后再发布。",
            en="Add the clause named transfer_and_resale, then publish again.",
        ),
    )
    TERMS_VERSION_PUBLISHED = (
        "TERMS_VERSION_PUBLISHED",
        Text(
            zh="该版本已以另一内容发布，不得更改。",
            en="This version was published with other content, which never changes.",
        ),
        Text(zh="已发布的服务协议不会更改。", en="Published terms never change."),
        Text(zh="请使用新的版本名称。", en="Give the new text a version name of its own."),
    )
    TERMS_EFFECTIVE_IN_PAST = (
        "TERMS_EFFECTIVE_IN_PAST",
        Text(zh="生效日期早于发布日期。", en="These terms would be in force before they are published."),
        Text(zh="服务协议不得追溯生效。", en="Terms never apply to the past."),
        Text(zh="请将生效日期改为今天或以后。", en="Let them take effect today or later."),
    )
    TERMS_DATE_TAKEN = (
        "TERMS_DATE_TAKEN",
        Text(zh="该日已有另一版本生效。", en="Another version takes effect on that day."),
        Text(zh="同一天只能有一个版本生效。", en="Only one version can take effect on a day."),
        Text(zh="请选择另一生效日期。", en="Choose another day."),
    )
    TERMS_NOT_PUBLISHED = (
        "TERMS_NOT_PUBLISHED",
        Text(zh="该企业没有现行服务协议。", en="This operator has no terms in force."),
        Text(zh="暂时不能办理。", en="We cannot register a line at the moment."),
        Text(
            zh="请先发布服务协议（shiming terms publish）。",
            en="Publish terms first (shiming terms publish).",
        ),
    )
    TERMS_VERSION_UNKNOWN = (
        "TERMS_VERSION_UNKNOWN",
        Text(zh="没有这个版本的服务协议。", en="There is no such version of the terms."),
        Text(zh="您确认的不是我们的服务协议。", en="What you accepted are not our terms."),
        _SHOW_CURRENT,
    )
    TERMS_VERSION_NOT_CURRENT = (
        "TERMS_VERSION_NOT_CURRENT",
        Text(zh="该版本不是现行版本。", en="This version of the terms is not the one in force."),
        Text(zh="服务协议已有新版本。", en="Other terms are in force now."),
        _SHOW_CURRENT,
    )
    TERMS_CONTENT_DIFFERS = (
        "TERMS_CONTENT_DIFFERS",
        Text(
            zh="所接受内容的散列值与已发布的不同。",
            en="What was accepted has another hash than the published text.",
        ),
        Text(zh="出示给您的内容与已发布的不一致。", en="The text you were shown is not the published one."),
        _SHOW_CURRENT,
    )
    ORDER_COMPLETED = (
        "ORDER_COMPLETED",
        Text(zh="该业务已登记完成。", en="What was ordered is registered already."),
        Text(zh="您的业务已办理完成。", en="What you ordered is registered already."),
        Text(zh="无需再操作；新业务请重新核验。", en="Nothing more to do; another line needs another proof."),
    )


class ConfirmationRefusal(ReasonCode):
    """Reasons about the customer's confirmation of what is opened."""

    CONFIRMATION_IDENTIFIER_MISSING = (
        "CONFIRMATION_IDENTIFIER_MISSING",
        Text(zh="尚未选定号码，无法确认。", en="No number is chosen yet, so there is nothing to confirm."),
        Text(zh="请先选号。", en="Please choose a number first."),
        Text(zh="请先为该业务选定号码。", en="Choose the number of this order first."),
    )
    CONFIRMATION_OF_OTHER_LINE = (
        "CONFIRMATION_OF_OTHER_LINE",
        Text(zh="用户确认的是另一个号码。", en="The customer confirmed another number than this one."),
        Text(zh="您确认的不是这个号码。", en="You confirmed another number."),
        _NEW_CODE,
    )
    CONFIRMATION_CODE_MISSING = (
        "CONFIRMATION_CODE_MISSING",
        Text(zh="尚未发出确认码。", en="No confirmation code was sent."),
        Text(zh="请先获取确认码。", en="Please ask for a confirmation code first."),
        _NEW_CODE,
    )
    CONFIRMATION_CODE_WRONG = (
        "CONFIRMATION_CODE_WRONG",
        Text(zh="确认码不正确。", en="This is not the confirmation code."),
        Text(zh="确认码不正确。", en="This is not the confirmation code."),
        _READ_ALOUD,
    )
    CONFIRMATION_CODE_EXPIRED = (
        "CONFIRMATION_CODE_EXPIRED",
        Text(zh="确认码已过期。", en="The confirmation code has expired."),
        Text(zh="确认码已过期。", en="The confirmation code has expired."),
        _NEW_CODE,
    )
    CONFIRMATION_ATTEMPTS_USED_UP = (
        "CONFIRMATION_ATTEMPTS_USED_UP",
        Text(zh="确认码输错次数过多。", en="The confirmation code was wrong too often."),
        Text(zh="输错次数过多，该确认码已作废。", en="It was wrong too often; this code is void."),
        _NEW_CODE,
    )
    CONFIRMATION_CODE_USED = (
        "CONFIRMATION_CODE_USED",
        Text(zh="该确认码已使用过。", en="This confirmation code has been used."),
        Text(zh="该确认码已使用过。", en="This confirmation code has been used."),
        Text(
            zh="一个确认码只确认一次；新的线路请重新核验。",
            en="One code confirms once; another line needs another proof.",
        ),
    )
    CONFIRMATION_CODES_TOO_MANY = (
        "CONFIRMATION_CODES_TOO_MANY",
        Text(zh="该业务发出的确认码过多。", en="Too many confirmation codes were sent for this order."),
        Text(zh="确认码发送次数过多。", en="Too many codes were sent."),
        Text(zh="请重新核验后再办理。", en="Prove the person once more, in a new session."),
    )
    CONFIRMATION_CODE_TOO_SOON = (
        "CONFIRMATION_CODE_TOO_SOON",
        Text(zh="刚刚已发送过确认码。", en="A confirmation code was sent a moment ago."),
        Text(zh="确认码刚刚发送，请稍候。", en="A code was just sent; please wait a moment."),
        Text(zh="请半分钟后再试。", en="Try again in half a minute."),
    )
    CONFIRMATION_NO_OWN_LINE = (
        "CONFIRMATION_NO_OWN_LINE",
        Text(
            zh="用户在本企业没有可接收短信的号码。",
            en="The customer holds no line here that a message can be sent to.",
        ),
        Text(
            zh="您在本企业没有可接收短信的号码。", en="You hold no line here that a message can be sent to."
        ),
        Text(zh="请改用二维码链接。", en="Use the link, shown as a QR code for their own telephone."),
    )
    LINES_FEWER_THAN_ENTERED = (
        "LINES_FEWER_THAN_ENTERED",
        Text(
            zh="合同项下已有的线路多于要确认的数量。",
            en="The contract has more lines already than are to be confirmed.",
        ),
        Text(zh="合同项下已有更多线路。", en="This contract has more lines already."),
        Text(zh="请确认包括已有线路在内的总数。", en="Confirm the total, those that are there included."),
    )
