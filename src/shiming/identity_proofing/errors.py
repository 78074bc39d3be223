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
    "REVIEW_NOT_AWAITED": (
        Text(zh="这次办理不在等待人工核验。", en="This session does not wait for people to look."),
        Text(zh="请回到待办列表。", en="Go back to the list of those that wait."),
    ),
    "REVIEW_GROUND_CONTRADICTS": (
        Text(zh="理由与作答不一致。", en="The reason contradicts the answers."),
        Text(zh="请选择与作答一致的理由。", en="Choose a reason that fits what you answered."),
    ),
    "REVIEW_PICTURE_UNKNOWN": (
        Text(
            zh="没有这张图片，或不能为此目的查看。", en="There is no such picture, or not for this purpose."
        ),
        Text(zh="请从页面上选择。", en="Choose among those on the page."),
    ),
    "REFEREE_NOT_FORESEEN": (
        Text(
            zh="这次办理的规则和渠道不接受见证人。",
            en="No referee is foreseen on this way, or in this channel.",
        ),
        Text(zh="请另选一种方式。", en="Choose another way."),
    ),
    "REFEREE_NOT_PROVEN": (
        Text(zh="见证人尚未通过核验。", en="The referee is not proven at this operator."),
        Text(zh="请先为见证人办理核验。", en="Prove the referee first, in a session of their own."),
    ),
    "REFEREE_REHEARSED": (
        Text(
            zh="见证人的核验只是演练，不能作数。",
            en="The referee's proof was a rehearsal and does not count.",
        ),
        Text(zh="请让见证人重新核验。", en="Prove the referee once more, with a challenge that was drawn."),
    ),
    "REFEREE_PROOF_TOO_OLD": (
        Text(zh="见证人的核验已经过时。", en="The referee's proof is too old."),
        Text(zh="请让见证人重新核验。", en="Prove the referee once more."),
    ),
    "REFEREE_NOT_ALLOWED": (
        Text(zh="规则不允许此人作见证人。", en="The rules do not let this person vouch."),
        Text(zh="请另请一位见证人。", en="Bring another referee: of age, and proven without one."),
    ),
    "REFEREE_IS_APPLICANT": (
        Text(zh="见证人不能是本人。", en="The referee is the applicant."),
        Text(zh="请另请一位见证人。", en="Bring somebody else."),
    ),
    "REFEREE_SESSION_USED": (
        Text(
            zh="见证人的这次核验已用于其他办理。",
            en="This proof of the referee serves something else already.",
        ),
        Text(zh="请让见证人重新核验。", en="Prove the referee once more."),
    ),
    "REFEREE_LIMIT_REACHED": (
        Text(
            zh="此人见证的人数已达上限。", en="This person has vouched for as many people as the rules allow."
        ),
        Text(zh="请另请一位见证人。", en="Bring another referee."),
    ),
    "REFEREE_AFTER_REVIEW": (
        Text(
            zh="已有工作人员作出否定的判断，不能再更换见证人。",
            en="A member of staff has found against it; no referee is named any more.",
        ),
        Text(zh="请等待另一名工作人员核对。", en="Another member of staff looks now."),
    ),
    "REFEREE_FIRST": (
        Text(zh="请先登记见证人，再作比对。", en="The referee comes before anybody compares."),
        Text(zh="请先登记见证人。", en="Name the referee first."),
    ),
    "REFEREE_NAMED_BY_YOU": (
        Text(zh="登记见证人的工作人员不能参与比对。", en="Whoever named the referee does not compare."),
        Text(zh="请由另一名工作人员比对。", en="Another member of staff compares."),
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
    "UPLOAD_UNKNOWN": (
        Text(zh="没有这个上传任务。", en="There is no such upload in this session."),
        Text(zh="请重新创建上传任务。", en="Create it again: POST .../uploads."),
    ),
    "UPLOAD_EXPIRED": (
        Text(zh="上传任务已经过期。", en="The time of this upload is over."),
        _START_AGAIN,
    ),
    "UPLOAD_OFFSET": (
        Text(
            zh="数据块的起始位置不是服务器等待的位置。",
            en="The chunk does not start where the upload stands.",
        ),
        Text(zh="请用 HEAD 查询位置后继续。", en="Ask by HEAD where it stands, and go on from there."),
    ),
    "UPLOAD_LENGTH": (
        Text(
            zh="上传长度缺失、矛盾或超出限制。",
            en="The length is missing, contradictory or beyond the limit.",
        ),
        Text(zh="请核对 Upload-Length。", en="Check Upload-Length against what OPTIONS says."),
    ),
    "UPLOAD_METADATA": (
        Text(zh="上传说明缺失或有误。", en="What is said about the upload is not complete, or wrong."),
        Text(zh="请核对 Upload-Metadata。", en="Check Upload-Metadata: kind and filetype are needed."),
    ),
    "UPLOADS_TOO_MANY": (
        Text(
            zh="本次办理的上传数量或大小已达上限。",
            en="This session has too many uploads, or too large ones.",
        ),
        Text(zh="请删除不用的上传任务。", en="End (DELETE) those that are not needed."),
    ),
    "UPLOAD_UNFINISHED": (
        Text(zh="上传尚未完成。", en="Not everything of this upload has arrived."),
        Text(zh="请继续上传后再提交。", en="Send the rest, then hand it in."),
    ),
    "UPLOAD_OTHER_KIND": (
        Text(zh="这个上传任务不是这一步需要的材料。", en="This upload is not what this step takes."),
        Text(zh="请核对上传任务的 kind。", en="Check the `kind` it was created with."),
    ),
    "CARD_READING_NOT_FORESEEN": (
        Text(zh="规则不接受这种证件的读卡结果。", en="The rules take no reading of this kind of card."),
        Text(zh="请改用拍摄证件。", en="Photograph the document instead."),
    ),
    "CARD_READING_UNSIGNED": (
        Text(zh="读卡结果没有已登记设备的签名。", en="No enrolled device has signed the reading."),
        Text(zh="请由管理员登记读卡设备。", en="Have the reader enrolled by an administrator."),
    ),
    "CARD_READING_UNKNOWN": (
        Text(zh="本次办理还没有读卡。", en="No card was read in this session yet."),
        Text(zh="请把证件放到读卡器上。", en="Lay the card on the reader."),
    ),
    "CARD_READING_STALE": (
        Text(zh="这不是本次办理中读取的。", en="The card was not read in this session."),
        Text(
            zh="请重新读卡；仍不行时请校准时钟。", en="Read it again; set the reader's clock if that fails."
        ),
    ),
    "CARD_NUMBER_INVALID": (
        Text(zh="卡内号码校验不符。", en="The number on the chip does not hold its check."),
        Text(zh="请再读一次；仍不符时请上报。", en="Read it again; report the card if it happens again."),
    ),
    "CARD_PORTRAIT_UNUSABLE": (
        Text(zh="卡内人像图片无法使用。", en="The decoded portrait of the chip cannot be used."),
        Text(zh="请不带人像提交，再拍摄证件。", en="Hand the reading in without it and photograph the card."),
    ),
    "SANDBOX_READING_REFUSED": (
        Text(zh="沙盒读卡器的结果在此不算数。", en="Readings of the sandbox reader do not count here."),
        Text(zh="请使用真实的读卡器。", en="Use a real reader."),
    ),
    "READER_STREAMS_TOO_MANY": (
        Text(zh="同时查看读卡状态的页面太多。", en="Too many pages watch readers at present."),
        Text(zh="请稍后刷新。", en="Reload in a moment."),
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
