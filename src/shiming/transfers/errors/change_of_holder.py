"""Why a lawful change of holder is refused."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode


class HolderChangeRefusal(ReasonCode):
    """Reasons about the two people, the time since the last change, and what the receiver may hold."""

    HOLDERS_SAME = (
        "HOLDERS_SAME",
        Text(zh="转让人与受让人是同一人。", en="The present and the new holder are the same person."),
        Text(zh="该号码已在您名下。", en="This line is yours already."),
        Text(zh="无需办理过户。", en="No change of holder is needed."),
    )
    HOLDER_CHANGE_TOO_SOON = (
        "HOLDER_CHANGE_TOO_SOON",
        Text(
            zh="距入网或上次过户的时间不足规定天数。",
            en="Too few days have passed since the registration or the last change of holder.",
        ),
        Text(zh="该号码暂时还不能过户。", en="This line cannot change its holder yet."),
        Text(zh="请在冷静期满后办理。", en="Come back when the cooling period is over."),
    )
    RECEIVER_NOT_ELIGIBLE = (
        "RECEIVER_NOT_ELIGIBLE",
        Text(zh="该类号码不得由个人持有。", en="A person may not hold a line of this class."),
        Text(zh="您不能持有该类号码。", en="You cannot hold a line of this kind."),
        Text(zh="请由规则允许的用户办理。", en="Only holders that the rules name can take it."),
    )
    HOLDER_CHANGE_FORM_MISSING = (
        "HOLDER_CHANGE_FORM_MISSING",
        Text(zh="缺少双方签署的过户申请表。", en="The signed form for the change of holder is missing."),
        Text(zh="请提交双方签署的申请表。", en="Please hand in the form that both of you have signed."),
        Text(zh="将签署的表格存入证据库后再办理。", en="Put the signed form into the vault, then try again."),
    )
    HOLDER_IS_ORGANISATION = (
        "HOLDER_IS_ORGANISATION",
        Text(
            zh="单位名下的号码不按个人过户办理。",
            en="A line of an organisation does not change hands between persons.",
        ),
        Text(zh="该号码属于单位。", en="This line belongs to an organisation."),
        Text(
            zh="请由单位经办人退还号码后重新入网。",
            en="The handler of the organisation returns it; then it is opened anew.",
        ),
    )
