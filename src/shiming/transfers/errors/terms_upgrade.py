"""Why new terms are not announced, or a campaign cannot take a step."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode


class TermsUpgradeRefusal(ReasonCode):
    """Reasons about time and state."""

    TERMS_NOTICE_TOO_SHORT = (
        "TERMS_NOTICE_TOO_SHORT",
        Text(
            zh="通知日距新条款生效不足规定天数。",
            en="Holders would hear of the new terms too few days before they take effect.",
        ),
        Text(zh="通知时间不足。", en="The notice is too short."),
        Text(zh="请推迟生效日或提前通知截止日。", en="Let them take effect later, or notify earlier."),
    )
    TERMS_NOTICE_DATE_PAST = (
        "TERMS_NOTICE_DATE_PAST",
        Text(zh="通知截止日已过。", en="The date by which to notify has passed."),
        Text(zh="通知日期已过。", en="The date of notice has passed."),
        Text(zh="请选择将来的日期。", en="Choose a date to come."),
    )
    TERMS_CAMPAIGN_STATE = (
        "TERMS_CAMPAIGN_STATE",
        Text(
            zh="通知活动的当前状态不能执行该步骤。",
            en="The campaign cannot take this step from where it stands.",
        ),
        Text(zh="该活动状态已变化。", en="The campaign has moved on."),
        Text(zh="请重新查看。", en="Look at it again."),
    )
