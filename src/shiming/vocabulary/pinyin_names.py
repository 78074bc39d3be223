"""Pinyin of Han names: a character can have its own reading as a surname.

Readings come from `pypinyin`; the table below has the surnames whose reading differs from the usual one,
and the surnames of two characters. Where families differ, all readings are given.

>>> pinyin_readings("单雄信"), pinyin_readings("欧阳修")
((('shan', 'xiongxin'),), (('ouyang', 'xiu'),))
>>> pinyin_readings("覃明")
(('qin', 'ming'), ('tan', 'ming'))
>>> pinyin_readings("吕布")
(('lü', 'bu'),)
"""

from pypinyin import Style, lazy_pinyin

_SURNAME_READINGS: dict[str, tuple[str, ...]] = {
    "单": ("shan",), "解": ("xie",), "仇": ("qiu",), "曾": ("zeng",), "查": ("zha",), "区": ("ou",),
    "任": ("ren",), "华": ("hua",), "朴": ("piao", "pu"), "盖": ("ge", "gai"), "翟": ("zhai", "di"),
    "覃": ("qin", "tan"), "乐": ("yue", "le"), "宁": ("ning",), "缪": ("miao",), "纪": ("ji",),
    "冼": ("xian",), "洗": ("xian",), "召": ("shao",), "种": ("chong",), "员": ("yun",), "祭": ("zhai",),
    "黑": ("he",), "折": ("she",), "隗": ("wei", "kui"), "燕": ("yan",), "尹": ("yin",), "訾": ("zi",),
    "郇": ("xun", "huan"),
    "秘": ("bi",), "晟": ("cheng",), "繁": ("po",), "卜": ("bu",), "能": ("nai",), "牟": ("mou", "mu"),
    "应": ("ying",), "葛": ("ge",), "句": ("gou",), "阚": ("kan",), "钭": ("tou",), "逄": ("pang",),
    "佴": ("nai",), "不": ("fou",), "车": ("che",), "哈": ("ha",), "洪": ("hong",), "石": ("shi",),
    "宿": ("su",), "臧": ("zang",), "佘": ("she",), "长": ("chang",), "行": ("xing",), "那": ("na",),
    "尉迟": ("yuchi",), "万俟": ("moqi",), "长孙": ("zhangsun",), "令狐": ("linghu",), "欧阳": ("ouyang",),
    "司马": ("sima",), "上官": ("shangguan",), "诸葛": ("zhuge",), "夏侯": ("xiahou",), "东方": ("dongfang",),
    "皇甫": ("huangfu",), "公孙": ("gongsun",), "慕容": ("murong",), "宇文": ("yuwen",), "司徒": ("situ",),
    "司空": ("sikong",), "端木": ("duanmu",), "轩辕": ("xuanyuan",), "南宫": ("nangong",), "独孤": ("dugu",),
    "呼延": ("huyan",), "澹台": ("tantai",), "赫连": ("helian",), "申屠": ("shentu",), "太史": ("taishi",),
    "濮阳": ("puyang",), "闻人": ("wenren",), "钟离": ("zhongli",), "鲜于": ("xianyu",), "拓跋": ("tuoba",),
}  # fmt: skip
_HAN_BLOCKS = (("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003ffff"), ("\u3007", "\u3007"))


def is_han(text: str) -> bool:
    """Whether `text` has a Han character."""
    return any(first <= character <= last for character in text for first, last in _HAN_BLOCKS)


def pinyin_readings(name: str) -> tuple[tuple[str, str], ...]:
    """Return every (surname, given names) reading of a simplified Han name, without tones or spaces."""
    length = 2 if name[:2] in _SURNAME_READINGS and len(name) > 2 else 1  # noqa: PLR2004 - a given name follows
    surname, given = name[:length], name[length:]
    surnames = _SURNAME_READINGS.get(surname) or (_pinyin(surname),)
    return tuple((reading, _pinyin(given)) for reading in surnames)


def _pinyin(text: str) -> str:
    syllables = lazy_pinyin(text, style=Style.NORMAL, v_to_u=True)
    return "".join(character for syllable in syllables for character in syllable if character.isalnum())
