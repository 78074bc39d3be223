"""What is said about selling, renting or lending a line, and why a case cannot take a step."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_STATE_ADVICE = Text(zh="请重新查看案件。", en="Look at the case again.")


class PrivateTransferRefusal(ReasonCode):
    """The prohibition itself, and impossible steps of a case."""

    PRIVATE_TRANSFER = (
        "PRIVATE_TRANSFER",
        Text(
            zh="私自转让、出租、出借或转售号码，违反法律规定。",
            en="The line was sold, rented out, lent or resold, which the law forbids.",
        ),
        Text(
            zh="因号码被私自转让、出租或出借，已采取限制措施。",
            en="Your line is restricted because it was sold, rented out or lent.",
        ),
        Text(
            zh="可申诉：携带本人有效证件及说明材料，成立的立即解除。",
            en="You can appeal with your valid document and what explains it; upheld, it is lifted at once.",
        ),
    )
    PRIVATE_TRANSFER_ALLOWED = (
        "PRIVATE_TRANSFER_ALLOWED",
        Text(zh="规则不禁止私下转让。", en="The rules in force do not forbid private transfers."),
        Text(zh="该行为不违反规则。", en="This is not against the rules."),
        Text(zh="请按过户办理。", en="Use the change of holder."),
    )
    TRANSFER_CASE_STATE = (
        "TRANSFER_CASE_STATE",
        Text(zh="案件当前状态不能执行该步骤。", en="The case cannot take this step from where it stands."),
        Text(zh="案件状态已变化。", en="The case has moved on."),
        _STATE_ADVICE,
    )
    TRANSFER_CASE_OWN_JUDGE = (
        "TRANSFER_CASE_OWN_JUDGE",
        Text(zh="同一人不得既处置又裁决申诉。", en="Who sanctioned the case does not decide its appeal."),
        Text(zh="申诉须由另一人审理。", en="Another person has to decide the appeal."),
        Text(zh="请由另一名合规人员裁决。", en="Have another compliance officer decide."),
    )
    TRANSFER_HOLDER_CHANGED = (
        "TRANSFER_HOLDER_CHANGED",
        Text(
            zh="立案后号码已换登记用户。",
            en="The line has another registered holder than when the case was opened.",
        ),
        Text(zh="号码的登记用户已变化。", en="The registered holder has changed."),
        _STATE_ADVICE,
    )
