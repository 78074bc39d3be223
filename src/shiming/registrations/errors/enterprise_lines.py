"""Why a row of an import is passed over, and why somebody is not taken as actual user."""

from enum import StrEnum

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_LINK = Text(zh="请向单位索取新的链接。", en="Ask your organisation for a new link.")


class RowCode(StrEnum):
    """Reasons about one row."""

    NUMBER_OUTSIDE_POOL = "NUMBER_OUTSIDE_POOL"
    NUMBER_EXCLUDED = "NUMBER_EXCLUDED"
    NUMBER_TWICE = "NUMBER_TWICE"
    NUMBER_TAKEN = "NUMBER_TAKEN"
    NUMBER_RESERVED = "NUMBER_RESERVED"
    NUMBER_RESTING = "NUMBER_RESTING"
    NUMBER_OF_OTHER_CONTRACT = "NUMBER_OF_OTHER_CONTRACT"
    ROW_DIFFERS = "ROW_DIFFERS"
    KIND_UNKNOWN = "KIND_UNKNOWN"
    KIND_DIFFERS = "KIND_DIFFERS"
    PRODUCT_NOT_OFFERED = "PRODUCT_NOT_OFFERED"
    USER_REFERENCE_TOO_LONG = "USER_REFERENCE_TOO_LONG"
    CONTACT_TOO_LONG = "CONTACT_TOO_LONG"
    SIM_NOT_EXPECTED = "SIM_NOT_EXPECTED"
    CONTRACT_LINES_USED_UP = "CONTRACT_LINES_USED_UP"

    @property
    def text(self) -> Text:
        """Say it in words."""
        return _ROW_TEXTS[self]


_ROW_TEXTS = {
    RowCode.NUMBER_OUTSIDE_POOL: Text(zh="号码不在本企业号段内。", en="This number is not of the pool."),
    RowCode.NUMBER_EXCLUDED: Text(zh="该号段不放号。", en="Numbers of this range are never given out."),
    RowCode.NUMBER_TWICE: Text(zh="号码在文件中重复。", en="This number stands in the file twice."),
    RowCode.NUMBER_TAKEN: Text(zh="号码已在使用。", en="This number is in use."),
    RowCode.NUMBER_RESERVED: Text(zh="号码已为他人预留。", en="This number is kept for somebody else."),
    RowCode.NUMBER_RESTING: Text(zh="号码处于冷冻期。", en="This number rests after its last use."),
    RowCode.NUMBER_OF_OTHER_CONTRACT: Text(
        zh="号码属于其他合同。", en="It is entered under another contract."
    ),
    RowCode.ROW_DIFFERS: Text(zh="该号码已录入，内容不同。", en="It was entered before with other contents."),
    RowCode.KIND_UNKNOWN: Text(zh="没有这种线路类型。", en="There is no such kind of line."),
    RowCode.KIND_DIFFERS: Text(zh="号段不用于这种线路。", en="The range is for another kind of line."),
    RowCode.PRODUCT_NOT_OFFERED: Text(
        zh="单位不能以此方式办理该业务。",
        en="Organisations do not get this product with an actual user.",
    ),
    RowCode.USER_REFERENCE_TOO_LONG: Text(zh="使用人编号过长。", en="The reference of the user is too long."),
    RowCode.CONTACT_TOO_LONG: Text(zh="联系方式过长。", en="The contact is too long."),
    RowCode.SIM_NOT_EXPECTED: Text(zh="这种线路没有卡。", en="A line of this kind has no card."),
    RowCode.CONTRACT_LINES_USED_UP: Text(
        zh="超出单位确认的线路数。", en="The organisation confirmed fewer lines than this."
    ),
}


class ActualUserRefusal(ReasonCode):
    """Reasons about the actual user of a line, the link and the line itself."""

    LINES_PER_USER_REACHED = (
        "LINES_PER_USER_REACHED",
        Text(zh="该使用人名下的单位号码已达上限。", en="This person uses as many lines as one person may."),
        Text(zh="您使用的单位号码已达上限。", en="You use as many lines of organisations as one person may."),
        Text(zh="请先退回不用的号码。", en="Give a line back that is not used."),
    )
    LINE_HAS_USER = (
        "LINE_HAS_USER",
        Text(zh="该号码已有实际使用人。", en="This line has an actual user already."),
        Text(zh="该号码已有人使用。", en="Somebody is recorded as the user of this line."),
        Text(
            zh="如使用人已变更，请先登记离职。", en="If the user has changed, record first that one has left."
        ),
    )
    LINE_UNKNOWN = (
        "ENTERPRISE_LINE_UNKNOWN",
        Text(zh="合同中没有这个号码。", en="The contract has no such line."),
        Text(zh="单位没有登记这个号码。", en="Your organisation has not entered this number."),
        Text(zh="请核对号码和合同。", en="Compare the number and the contract."),
    )
    LINE_WITHOUT_USER = (
        "LINE_WITHOUT_USER",
        Text(zh="该号码没有实际使用人。", en="This line has no actual user."),
        Text(zh="该号码尚无使用人。", en="Nobody is recorded as the user of this line."),
        Text(zh="无需登记离职。", en="There is nobody to leave."),
    )
    LINK_UNKNOWN = (
        "ACTUAL_USER_LINK_UNKNOWN",
        Text(zh="链接无效。", en="This link is none."),
        Text(zh="链接无效，请核对是否完整。", en="This link does not work; see that it is whole."),
        _LINK,
    )
    LINK_EXPIRED = (
        "ACTUAL_USER_LINK_EXPIRED",
        Text(zh="链接已过期。", en="The link has expired."),
        Text(zh="链接已过期。", en="This link has expired."),
        _LINK,
    )
    LINK_USED = (
        "ACTUAL_USER_LINK_USED",
        Text(zh="链接已使用或已被新链接取代。", en="The link was used, or a newer one took its place."),
        Text(zh="链接已使用过。", en="This link was used already."),
        _LINK,
    )
    LINK_SESSIONS_USED_UP = (
        "LINK_SESSIONS_USED_UP",
        Text(zh="用此链接核验的次数已用完。", en="The link was tried as often as it may be."),
        Text(
            zh="核验次数已用完，请到营业厅办理。",
            en="You have tried as often as is possible; come to a shop.",
        ),
        Text(zh="请到营业厅办理，或索取新的链接。", en="Prove the person in a shop, or make a new link."),
    )
    NUMBER_NOT_CONFIRMED = (
        "USER_DID_NOT_CONFIRM",
        Text(zh="使用人未确认所开通的号码。", en="The user did not confirm the line."),
        Text(zh="请确认要为您开通的号码。", en="Confirm the line that is opened for you."),
        Text(zh="请在页面上确认后继续。", en="Confirm it on the page, then go on."),
    )
