"""What one does on each way, in plain words: what one CAN do, never what one cannot."""

from dataclasses import dataclass

from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.rules.equal_ways import Way
from shiming.jurisdictions.model import DigitsMode, Gesture, Route
from shiming.vocabulary.errors import Text


@dataclass(frozen=True, slots=True)
class WayWords:
    """The name of a way, and what is said where people decide on it."""

    title: Text
    people: Text | None = None
    people_elsewhere: Text | None = None


WAYS = {
    Route.STANDARD: WayWords(
        Text(zh="转头、眨眼，并读出数字", en="Turn my head, blink, and say the digits"),
    ),
    Route.NO_BLINK: WayWords(
        Text(zh="只转头，并读出数字", en="Only turn my head, and say the digits"),
    ),
    Route.HEAD_STILL: WayWords(
        Text(
            zh="头不动：眨眼、张嘴，并读出数字", en="Keep my head still: blink, open my mouth, say the digits"
        ),
    ),
    Route.DIGITS_TAPPED: WayWords(
        Text(zh="点按或输入数字，不用说话", en="Tap or type the digits, without speaking"),
    ),
    Route.ASSISTED: WayWords(
        Text(zh="请两名工作人员当面比对", en="Have two members of staff compare me with my document"),
        Text(
            zh="两名工作人员各自看证件和本人，分别作答。不用摄像头，也不用说话。",
            en="Two members of staff each look at the document and at you, and each answer on their own. "
            "No camera, no speaking.",
        ),
        Text(
            zh="请带上证件，到营业厅报出办理编号。等级和价格都一样。",
            en="Come to a shop with your document and tell them the reference. Same level, same price.",
        ),
    ),
    Route.REFEREE: WayWords(
        Text(zh="带一位可信的人为我见证", en="I bring a trusted referee"),
        Text(
            zh="见证人带自己的证件同来，先证明自己，再为您见证；一名工作人员比对。不用您面对摄像头或说话。",
            en="Somebody you trust comes with their own document, is proven first, and vouches for you; "
            "a member of staff compares. No camera and no speaking for you.",
        ),
    ),
}
#: Value, language code, the language's own name, and its name for everybody else.
LANGUAGES = (
    (Language.MANDARIN.value, "zh", "普通话", Text(zh="汉语", en="Mandarin Chinese")),
    (Language.ENGLISH.value, "en", "English", Text(zh="英语", en="English")),
)
_GESTURES = {
    Gesture.TURN_LEFT: Text(zh="向左转头", en="turn left"),
    Gesture.TURN_RIGHT: Text(zh="向右转头", en="turn right"),
    Gesture.BLINK: Text(zh="眨眼", en="blink"),
    Gesture.MOUTH_OPEN: Text(zh="张嘴", en="open the mouth"),
}
_DIGITS = {
    DigitsMode.SPOKEN: Text(zh="读出屏幕上的数字", en="say the digits on the screen"),
    DigitsMode.TAPPED: Text(
        zh="点按或输入数字；使用任何语言、方言或手语的人都可以",
        en="tap or type the digits, whatever language, dialect or sign you use",
    ),
    DigitsMode.NONE: Text(zh="", en=""),
}


def saying_of(way: Way, *, staff: bool) -> Text:
    """Return what one does on this way: as the pack has it, so that a changed pack changes the words."""
    words = WAYS[way.route]
    if way.by_people and words.people is not None:
        return words.people if staff else words.people_elsewhere or words.people
    done = [_GESTURES[gesture] for gesture in way.gestures]
    digits = _DIGITS[way.digits]
    return Text(
        zh="；".join(part for part in ("、".join(each.zh for each in done), digits.zh) if part) + "。",
        en=(
            "; ".join(part for part in (", ".join(each.en for each in done), digits.en) if part) + "."
        ).capitalize(),
    )
