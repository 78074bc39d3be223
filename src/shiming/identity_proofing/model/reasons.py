"""The catalogue of reasons, read once from `reasons.toml` beside this module.

>>> reason("FACE_MISMATCH", "notice2019:face_match").text.zh
'视频中的人与证件人像不是同一人。'
"""

import tomllib
from functools import cache
from importlib.resources import files

from shiming.identity_proofing.model.decision import Reason
from shiming.vocabulary.errors import Text


def reason(code: str, citation: str) -> Reason:
    """Return the reason of that code, resting on the rule cited; KeyError for a code not in the catalogue."""
    text, advice = catalogue()[code]
    return Reason(code, citation, text, advice)


@cache
def catalogue() -> dict[str, tuple[Text, Text]]:
    """Return what happened and what to do next, by code."""
    entries = tomllib.loads(files(__package__).joinpath("reasons.toml").read_text(encoding="utf-8"))
    return {
        code: (
            Text(zh=entry["zh"], en=entry["en"]),
            Text(zh=entry["advice_zh"], en=entry["advice_en"]),
        )
        for code, entry in entries.items()
    }
