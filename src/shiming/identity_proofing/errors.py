"""Why a step of a session is refused, in words."""

from shiming.vocabulary.errors import NO_ADVICE, BadInput, Text

_START_AGAIN = Text(zh="请重新办理。", en="Start a new session.")
_REASONS: dict[str, tuple[Text, Text]] = {
    "SESSION_CLOSED": (Text(zh="这次办理已经结束。", en="This session is over."), _START_AGAIN),
    "SESSION_UNKNOWN": (
        Text(zh="没有这次办理的记录。", en="There is no such session."),
        Text(zh="请核对会话编号。", en="Check the number of the session."),
    ),
    "DIGITS_FORM": (
        Text(zh="录音和点按的数字须二选一。", en="Send either a recording or the digits tapped."),
        Text(zh="请只发送其中一项。", en="Send one of the two."),
    ),
    "STAFF_ONLY": (
        Text(zh="只有工作人员可以目视核验。", en="Only a member of staff compares by eye."),
        Text(zh="请以工作人员身份登录。", en="Sign in as a member of staff."),
    ),
    "LIVE_EVIDENCE_NOT_ASKED": (
        Text(
            zh="本地规则不要求视频和数字，因此不得采集。",
            en="The rules here ask for no clip and no digits, so none may be taken.",
        ),
        Text(zh="请只提交证件，然后请求决定。", en="Send the document only, then ask for the decision."),
    ),
    "SESSION_EXPIRED": (Text(zh="这次办理已经超时。", en="The time of this session is over."), _START_AGAIN),
    "SESSION_CHANGED": (
        Text(zh="决定期间又收到了新材料。", en="New evidence came in while this was being decided."),
        Text(zh="请再次请求决定。", en="Ask for the decision again."),
    ),
    "STEP_OUT_OF_ORDER": (
        Text(zh="请先上传证件。", en="The document comes first."),
        Text(zh="顺序：证件、视频、数字、决定。", en="In this order: document, clip, digits, decision."),
    ),
    "ATTEMPTS_USED_UP": (
        Text(zh="这一步的次数已用完。", en="All attempts at this step are used up."),
        Text(zh="请请求决定，查看其他办法。", en="Ask for the decision: it names other ways."),
    ),
}


def refused(code: str) -> BadInput:
    """Return the refusal with this code."""
    text, advice = _REASONS.get(
        code, (Text(zh="无法执行这一步。", en="This step is not possible."), NO_ADVICE)
    )
    return BadInput(code, text, advice)


def rules_changed() -> BadInput:
    """Return the refusal of a session whose rules are no longer those in force."""
    return BadInput(
        "SESSION_RULES_CHANGED",
        Text(zh="办理期间规则已更新。", en="The rules have changed since this session was opened."),
        _START_AGAIN,
    )
