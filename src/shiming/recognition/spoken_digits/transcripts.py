"""From a transcript of a general speech recogniser to digits, and from digits to a score. Pure.

General recognisers write 四七零九, 470 9, "four seven oh nine" or a mixture; homophones of the Mandarin
digits (拔, 久) are read as the digit, because nothing but digits was asked for.
"""

import re

from shiming.recognition.spoken_digits.claimed_string import OTHER_SIGN, edit_distance
from shiming.recognition.spoken_digits.measurement import NOT_SAID, DigitsReading

SCORE_PER_EDIT = -6.0  # one edit of six is still a close call, two are not: same scale as the built-in engine
HAN_DIGITS = {
    "0": "零〇凌灵铃玲陵菱聆龄洞",
    "1": "一壹幺妖腰邀夭吆衣医依伊",
    "2": "二贰两俩",
    "3": "三叁",
    "4": "四肆寺",
    "5": "五伍午武舞",
    "6": "六陆溜遛",
    "7": "七柒期妻漆戚拐",
    "8": "八捌巴吧扒叭",
    "9": "九玖久酒勾",
}
ENGLISH_DIGITS = {
    **dict.fromkeys(("zero", "oh", "o", "nought"), "0"),
    **dict.fromkeys(("one", "won"), "1"),
    **dict.fromkeys(("two", "to", "too"), "2"),
    **dict.fromkeys(("three", "tree"), "3"),
    **dict.fromkeys(("four", "for"), "4"),
    **dict.fromkeys(("five",), "5"),
    **dict.fromkeys(("six", "sicks"), "6"),
    **dict.fromkeys(("seven",), "7"),
    **dict.fromkeys(("eight", "ate"), "8"),
    **dict.fromkeys(("nine", "niner"), "9"),
}
OF_HAN = {han: digit for digit, written in HAN_DIGITS.items() for han in written}
TIMES = {"double": 2, "triple": 3}
UNITS = re.compile(r"<\|[^|]*\|>|[0-9]|[a-z']+|[\u3400-\u9fff〇]", re.IGNORECASE)


def digits_of_transcript(transcript: str) -> str:
    """Return digits in order and `?` for each other word or character.

    >>> digits_of_transcript("四七零，幺 9"), digits_of_transcript("four seven oh hello, double five")
    ('47019', '470?55')
    """
    heard, times = "", 1
    for unit in UNITS.findall(transcript.lower()):
        if unit.startswith("<|"):  # marks of the language or the mood
            continue
        if unit in TIMES:
            times = TIMES[unit]
            continue
        digit = unit if unit.isdigit() else OF_HAN.get(unit) or ENGLISH_DIGITS.get(unit, OTHER_SIGN)
        heard += digit * times
        times = 1
    return heard


def reading_of_transcript(transcript: str, expected: str) -> DigitsReading:
    """Return the reading with a score that falls with every edit; nothing heard is `NOT_SAID`."""
    heard = digits_of_transcript(transcript)
    if not heard.replace(OTHER_SIGN, ""):
        return DigitsReading(heard, NOT_SAID)
    return DigitsReading(heard, max(NOT_SAID, SCORE_PER_EDIT * edit_distance(heard, expected)))
