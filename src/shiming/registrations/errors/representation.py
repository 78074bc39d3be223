"""Why somebody cannot act for the holder of a line."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_PROVE = Text(
    zh="请代办人或监护人本人重新核验一次。",
    en="Let the representative prove themselves, in a new session.",
)
_SUBSCRIBER_PROOF = Text(
    zh="代您办理的人尚未完成身份核验。",
    en="The person who acts for you is not verified yet.",
)


class RepresentationRefusal(ReasonCode):
    """Reasons about the representative, their proof, what entitles them, and how many they act for."""

    REPRESENTATIVE_REQUIRED = (
        "REPRESENTATIVE_REQUIRED",
        Text(zh="该用户须由监护人到场办理。", en="A guardian has to be present for this person."),
        Text(zh="请与监护人一起办理。", en="Please come with your guardian."),
        Text(
            zh="请监护人完成核验，并登记监护关系和证明材料。",
            en="Prove the guardian; state the relation and keep its evidence.",
        ),
    )
    GUARDIAN_REQUIRED_AS_REPRESENTATIVE = (
        "GUARDIAN_REQUIRED_AS_REPRESENTATIVE",
        Text(zh="该用户只能由监护人代为办理。", en="Only a guardian acts for this person."),
        Text(zh="请由您的监护人办理。", en="Please come with your guardian."),
        Text(zh="请以监护人身份登记代办关系。", en="Name a guardian instead of a proxy."),
    )
    GUARDIAN_NOT_NEEDED = (
        "GUARDIAN_NOT_NEEDED",
        Text(zh="该用户不需要监护人。", en="This person has no need of a guardian."),
        Text(zh="您可以本人办理，或委托他人代办。", en="Apply yourself, or authorise a proxy."),
        Text(zh="请由本人办理，或按委托代办登记。", en="Let them apply themselves, or name a proxy."),
    )
    REPRESENTATION_NOT_ALLOWED = (
        "REPRESENTATION_NOT_ALLOWED",
        Text(zh="此处不得代他人办理。", en="Nobody may register for this person here."),
        Text(zh="请本人办理。", en="Please apply in person."),
        Text(zh="请持证人本人到场核验。", en="Let the holder come in person."),
    )
    REPRESENTATIVE_UNKNOWN = (
        "REPRESENTATIVE_UNKNOWN",
        Text(zh="没有代办人的这个核验会话。", en="There is no such session of a representative."),
        _SUBSCRIBER_PROOF,
        Text(zh="请核对代办人的会话编号。", en="Compare the reference of the representative's session."),
    )
    REPRESENTATIVE_NOT_PROVEN = (
        "REPRESENTATIVE_NOT_PROVEN",
        Text(zh="代办人未通过身份核验。", en="The representative's session did not end in Verified."),
        _SUBSCRIBER_PROOF,
        _PROVE,
    )
    REPRESENTATIVE_PROOF_TOO_OLD = (
        "REPRESENTATIVE_PROOF_TOO_OLD",
        Text(zh="代办人的核验已超过有效时间。", en="The representative was proven too long ago."),
        Text(zh="代办人的身份核验已过期。", en="The check of your representative has expired."),
        _PROVE,
    )
    REPRESENTATIVE_OF_OTHER_OPERATOR = (
        "REPRESENTATIVE_OF_OTHER_OPERATOR",
        Text(zh="代办人是在其他运营企业核验的。", en="The representative was proven for another operator."),
        Text(
            zh="代办人的核验属于另一家企业。",
            en="Your representative was checked for another company.",
        ),
        _PROVE,
    )
    REPRESENTATIVE_REHEARSED = (
        "REPRESENTATIVE_REHEARSED",
        Text(
            zh="代办人核验的动作由人指定，属于演练。",
            en="The representative's challenge was chosen by hand: a rehearsal.",
        ),
        Text(zh="此次核验仅供演练。", en="This was a rehearsal; it cannot register a line."),
        _PROVE,
    )
    REPRESENTATIVE_SESSION_USED = (
        "REPRESENTATIVE_SESSION_USED",
        Text(
            zh="代办人的会话已用于另一次办理。",
            en="This session of the representative has served another order.",
        ),
        Text(zh="代办人的一次核验只能办理一次业务。", en="One check of a representative serves one order."),
        _PROVE,
    )
    REPRESENTATIVE_IS_HOLDER = (
        "REPRESENTATIVE_IS_HOLDER",
        Text(zh="代办人与机主是同一人。", en="Representative and holder are the same person."),
        Text(zh="本人办理不需要代办。", en="You need no representative for yourself."),
        Text(zh="请按本人办理登记。", en="Register it as the holder's own application."),
    )
    REPRESENTATIVE_NOT_OF_AGE = (
        "REPRESENTATIVE_NOT_OF_AGE",
        Text(zh="代办人本人未成年。", en="The representative is a minor."),
        Text(zh="未成年人不能代他人办理。", en="A minor cannot act for somebody else."),
        Text(zh="请由成年人代办。", en="Let an adult act."),
    )
    REPRESENTATIVE_NOT_RECORDED = (
        "REPRESENTATIVE_NOT_RECORDED",
        Text(
            zh="未登记代办人的证件信息。",
            en="The document of the representative is not recorded.",
        ),
        Text(zh="代办人的证件尚未登记。", en="The document of your representative is not recorded yet."),
        _PROVE,
    )
    AUTHORITY_DOCUMENT_MISSING = (
        "AUTHORITY_DOCUMENT_MISSING",
        Text(
            zh="没有授权或监护关系的证明材料。",
            en="The document that entitles the representative is not kept with this order.",
        ),
        Text(
            zh="请提供委托书或监护关系证明。",
            en="Please bring the letter of authority or the proof of guardianship.",
        ),
        Text(zh="请上传证明材料后再办理。", en="Upload the document, then name the representative."),
    )
    GUARDIAN_RELATION_MISSING = (
        "GUARDIAN_RELATION_MISSING",
        Text(zh="未说明监护人与未成年人的关系。", en="What the guardian is to the minor is not stated."),
        Text(zh="请说明监护关系。", en="Please say what the guardian is to you."),
        Text(
            zh="请登记关系：父母、祖辈、兄姐或指定监护。",
            en="State it: parent, grandparent, sibling, appointed.",
        ),
    )
    PROXY_LIMIT_REACHED = (
        "PROXY_LIMIT_REACHED",
        Text(zh="该代办人代办的人数已达上限。", en="This proxy acts for as many people as are allowed."),
        Text(zh="代办人的代办人数已达上限。", en="Your proxy already acts for as many people as one may."),
        Text(zh="请本人办理，或由他人代办。", en="Apply in person, or authorise somebody else."),
    )
    PRINCIPAL_NOT_PROVEN = (
        "PRINCIPAL_NOT_PROVEN",
        Text(zh="被代办人尚未通过身份核验。", en="The person who is acted for is not proven."),
        Text(zh="您的身份尚未核验通过。", en="Your identity is not verified yet."),
        Text(zh="请先完成被代办人的核验。", en="Prove the person who is acted for first."),
    )
    ORDER_CLOSED = (
        "ORDER_CLOSED",
        Text(zh="该办理单已经完成登记。", en="This order has been registered already."),
        Text(zh="该业务已经办理完成。", en="This has been registered already."),
        Text(zh="请用新的会话重新办理。", en="Begin again with a new session."),
    )
