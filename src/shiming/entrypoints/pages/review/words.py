"""The words of the review pages for what the rules name by codes."""

from shiming.entrypoints.pages.review.plots import Limit
from shiming.identity_proofing.model.review import ReviewGround
from shiming.identity_proofing.rules.requirements import CHALLENGE
from shiming.jurisdictions.explanations import labels
from shiming.privacy.model import Purpose
from shiming.privacy.rules.watermark import PURPOSES
from shiming.privacy.use_cases.held_pictures import HELD_PURPOSES
from shiming.vocabulary.errors import Text

GROUNDS = {
    ReviewGround.FEATURES_AGREE: Text(zh="五官特征一致", en="The lasting features agree"),
    ReviewGround.CHANGED_WITH_TIME: Text(
        zh="因年龄、发型、眼镜等有变化，但五官特征一致",
        en="Changed by age, hair or glasses; the lasting features agree",
    ),
    ReviewGround.PERSON_PRESENT: Text(
        zh="本人在场，当面比对一致", en="The person is here and was compared face to face"
    ),
    ReviewGround.OTHER_PERSON: Text(
        zh="五官特征不一致，是另一人", en="The lasting features differ: another person"
    ),
    ReviewGround.DOCUMENT_ALTERED: Text(
        zh="证件有涂改或伪造痕迹", en="The document shows signs of alteration"
    ),
    ReviewGround.DOCUMENT_FOREIGN: Text(
        zh="不是所声明的证件", en="It is not the document that it claims to be"
    ),
}
OUTCOMES = {
    "passed": (Text(zh="通过", en="passed"), "good"),
    "failed": (Text(zh="不符", en="contradicts"), "bad"),
    "unclear": (Text(zh="不明确", en="in doubt"), "attention"),
    "unavailable": (Text(zh="无法测量", en="could not be measured"), "attention"),
    "absent": (Text(zh="缺少", en="not given"), "attention"),
}
DECISIONS = {
    "Verified": Text(zh="核验通过", en="Verified"),
    "NotVerified": Text(zh="核验不通过", en="Not verified"),
    "NeedsReview": Text(zh="需要人工核验", en="People must look"),
    "Retry": Text(zh="需要补做", en="To be given again"),
}
PICTURES = {
    "document": Text(zh="证件正面", en="Document, front"),
    "document_back": Text(zh="证件背面", en="Document, back"),
    "other_person": Text(zh="见证人是另一人", en="The referee is another person"),
    "portrait": Text(zh="证件上的人像", en="Portrait of the document"),
    "best_frame": Text(zh="视频中最清晰的一帧", en="Clearest frame of the clip"),
    "frame_1": Text(zh="视频第1帧（开头）", en="Frame 1 (beginning)"),
    "frame_2": Text(zh="视频第2帧", en="Frame 2"),
    "frame_3": Text(zh="视频第3帧", en="Frame 3"),
    "frame_4": Text(zh="视频第4帧（结尾）", en="Frame 4 (end)"),
}
AUTHORITY_PORTRAIT = {
    "match": Text(
        zh="权威机构用其留存照片比对了视频：一致。照片不对外提供。",
        en="The authority compared the clip with its own portrait: it agrees. It hands no portrait out.",
    ),
    "mismatch": Text(
        zh="权威机构用其留存照片比对了视频：不一致。照片不对外提供。",
        en="The authority compared the clip with its own portrait: it does not agree. It hands none out.",
    ),
    "not_compared": Text(
        zh="权威机构没有比对照片，也不提供照片。",
        en="The authority has not compared a portrait, and hands none out.",
    ),
}
MEASURES = {
    "similarity": Text(zh="人脸相似度（第一模型）", en="Likeness of the faces, first model"),
    "second_similarity": Text(zh="人脸相似度（第二模型）", en="Likeness of the faces, second model"),
    "face_width_px": Text(zh="人脸宽度（像素）", en="Width of the face, pixels"),
    "face_sharpness": Text(zh="人脸清晰度", en="Sharpness of the face"),
    "present_share": Text(zh="人脸在画面中的时间比例", en="Share of time with the face in view"),
    "portrait_age_years": Text(zh="证件照距今（年）", en="Age of the portrait, years"),
    "same_person_min": Text(
        zh="全程一致的最低值（第一模型）", en="Same person throughout, lowest, first model"
    ),
    "same_person_second_min": Text(
        zh="全程一致的最低值（第二模型）", en="Same person throughout, lowest, second model"
    ),
    "passive_live_score": Text(zh="活体分值（参考）", en="Liveness score (advisory)"),
    "passive_live": Text(zh="活体分值（参考）", en="Liveness score (advisory)"),
    "frozen_share": Text(zh="静止画面比例", en="Share of frozen frames"),
    "loop_distance": Text(zh="重复播放距离", en="Distance from a repetition"),
    "planar_score": Text(zh="平面程度", en="Flatness"),
    "moire": Text(zh="摩尔纹", en="Moire"),
    "frame_edges": Text(zh="屏幕边框痕迹", en="Edges of a screen"),
    "missing_colour": Text(zh="缺色（复印痕迹）", en="Missing colour (copy)"),
    "time_gap_s_max": Text(zh="最大时间断点（秒）", en="Longest gap in time, seconds"),
    "faces_max": Text(zh="画面中人脸数", en="Faces in view, at most"),
    "score": Text(zh="数字得分", en="Score of the digits"),
    "voiced_units": Text(zh="听到的音节数", en="Syllables heard"),
    "expected_length": Text(zh="应有数字个数", en="Digits asked for"),
    "mode": Text(zh="数字方式", en="How digits are given"),
    "same": Text(zh="点按的数字相同", en="Tapped digits are the same"),
    "asked": Text(zh="要求的动作", en="Gestures asked for"),
    "seen": Text(zh="看到的动作", en="Gestures seen"),
    "verdict": Text(zh="动作结论", en="Gestures, in a word"),
    "duration_s": Text(zh="视频时长（秒）", en="Length of the clip, seconds"),
    "prompts_known": Text(zh="提示时间已知", en="Times of prompts are known"),
    "reviews": Text(zh="已作答次数", en="Answers given"),
    "staff": Text(zh="已作答人数", en="People who answered"),
    "portrait": Text(zh="权威机构的照片比对", en="Portrait compared by the authority"),
    "answer": Text(zh="权威机构的答复", en="Answer of the authority"),
    "sharpness": Text(zh="清晰度", en="Sharpness"),
    "brightness": Text(zh="亮度", en="Brightness"),
    "contrast": Text(zh="对比度", en="Contrast"),
    "glare_share": Text(zh="反光比例", en="Share of glare"),
    "kind": Text(zh="证件种类", en="Kind of document"),
    "cards_seen": Text(zh="画面中证件数", en="Cards in view"),
    "number_checksum": Text(zh="号码校验位正确", en="Check digit of the number is right"),
    "mrz_check_digits": Text(zh="机读区校验位正确", en="Check digits of the machine-readable zone are right"),
    "days_to_expiry": Text(zh="距有效期满（天）", en="Days to expiry"),
    "long_term": Text(zh="长期有效", en="Valid for life"),
    "both_sides": Text(zh="正反两面均有", en="Both sides are there"),
    "validity_confirmed_by_authority": Text(
        zh="有效期经权威机构确认", en="Validity confirmed by the authority"
    ),
    "fields_missing": Text(zh="未读出的项目", en="Fields not read"),
    "origin": Text(zh="提示的来源", en="Where the challenge came from"),
    "age_s": Text(zh="作答用时（秒）", en="Age of the challenge, seconds"),
    "known": Text(zh="由服务器抽取", en="Drawn by the server"),
    "altered": Text(zh="被改动", en="Altered"),
    "used_before": Text(zh="曾被使用", en="Used before"),
    "other_session": Text(zh="属于另一次办理", en="Of another session"),
    "detail": Text(zh="权威机构的说明", en="What the authority added"),
    "card_width_px": Text(zh="证件宽度（像素）", en="Width of the card, pixels"),
}
#: Codes that stand as values in the figures.
_VALUES = {
    "match": Text(zh="一致", en="match"),
    "mismatch": Text(zh="不一致", en="mismatch"),
    "unknown_person": Text(zh="查无此人", en="unknown person"),
    "card_expired": Text(zh="证件过期", en="document expired"),
    "card_lost": Text(zh="证件挂失", en="document reported lost"),
    "unreachable": Text(zh="无应答", en="no answer"),
    "not_asked": Text(zh="未询问", en="not asked"),
    "not_compared": Text(zh="未比对", en="not compared"),
    "drawn": Text(zh="系统抽取", en="drawn"),
    "chosen": Text(zh="人工选定", en="chosen by hand"),
    "spoken": Text(zh="读出", en="spoken"),
    "tapped": Text(zh="点按", en="tapped"),
    "none": Text(zh="无", en="none"),
    "turn_left": Text(zh="向左转头", en="turn left"),
    "turn_right": Text(zh="向右转头", en="turn right"),
    "blink": Text(zh="眨眼", en="blink"),
    "mouth_open": Text(zh="张嘴", en="mouth open"),
    "matched": Text(zh="相符", en="as asked"),
    "missing": Text(zh="缺少", en="something is missing"),
    "misplaced": Text(zh="位置不对", en="out of place"),
    "wrong_order": Text(zh="顺序不对", en="wrong order"),
    "too_small": Text(zh="幅度不够", en="too small"),
    "out_of_time": Text(zh="时间不对", en="out of time"),
    "resident_id_front": Text(zh="身份证正面", en="identity card, front"),
    "resident_id_back": Text(zh="身份证背面", en="identity card, back"),
    "mrz_td1": Text(zh="机读卡（三行）", en="card with three machine-readable lines"),
    "mrz_td2": Text(zh="机读证件（两行）", en="document with two machine-readable lines"),
    "mrz_td3": Text(zh="护照", en="passport"),
    "mrz_mrva": Text(zh="签证（A型）", en="visa, format A"),
    "mrz_mrvb": Text(zh="签证（B型）", en="visa, format B"),
    "speech": Text(zh="说话", en="speech"),
    "eyes_closed": Text(zh="闭眼", en="eyes closed"),
    "face_lost": Text(zh="人脸离开画面", en="face out of view"),
    "second_face": Text(zh="第二张人脸", en="second face"),
    "identity_change": Text(zh="换人", en="change of person"),
    "unknown": Text(zh="未识别", en="not recognised"),
    "True": Text(zh="是", en="yes"),
    "False": Text(zh="否", en="no"),
}
_LIMITS = {
    "min": Text(zh="至少 {at}", en="at least {at} is needed"),
    "accept_min": Text(zh="至少 {at}", en="at least {at} is needed"),
    "retry_min": Text(zh="低于 {at} 需重做", en="below {at} it is asked again"),
    "max": Text(zh="至多 {at}", en="at most {at} is allowed"),
    "review_min": Text(zh="{at} 起由人工查看", en="people look from {at} up"),
    "review_max": Text(zh="{at} 及以下由人工查看", en="people look at {at} and below"),
}
_CHALLENGE_WORDS = Text(zh="作答是新抽取的", en="the answer is to a fresh challenge")


def purposes() -> list[tuple[str, Text]]:
    """Return why a picture may be opened, the usual purpose first."""
    return [(purpose.value, PURPOSES[purpose]) for purpose in HELD_PURPOSES]


def default_purpose() -> str:
    """Return the purpose that a review has."""
    return Purpose.ASSISTED_REVIEW.value


def check_words(check: str) -> Text:
    """Return the name of a check."""
    if check == CHALLENGE:
        return _CHALLENGE_WORDS
    found = labels().terms[f"CheckName.{check}"]
    return Text(zh=found.in_language("zh"), en=found.in_language("en"))


def term(name: str) -> Text:
    """Return a word of the packs, such as `Route.assisted`."""
    found = labels().terms[name]
    return Text(zh=found.in_language("zh"), en=found.in_language("en"))


def measure_words(name: str) -> Text:
    """Return the name of a measurement; its code where it has none yet."""
    return MEASURES.get(name, Text(zh=name, en=name.replace("_", " ")))


def value_words(value: object) -> Text:
    """Return a value as people read it; codes of gestures with their degrees too.

    >>> value_words("turn_left:32,blink").en
    'turn left 32°, blink'
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Text(zh=number(value), en=number(value))
    zh, en = [], []
    for part in str(value).split(","):
        code, _, degrees = part.partition(":")
        words = _VALUES.get(code, Text(zh=code, en=code.replace("_", " ")))
        zh.append(words.zh + (f"{degrees}°" if degrees else ""))
        en.append(words.en + (f" {degrees}°" if degrees else ""))
    return Text(zh="、".join(zh), en=", ".join(en))


def limit_words(limit: Limit) -> Text:
    """Return what a limit means."""
    words, at = _LIMITS[limit.kind], number(limit.value)
    return Text(zh=words.zh.format(at=at), en=words.en.format(at=at))


def number(value: float) -> str:
    """Return a figure as people read it.

    >>> number(0.3642), number(230.0), number(1234.5)
    ('0.364', '230', '1234')
    """
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three places are enough
