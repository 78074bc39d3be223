"""The form of a case reference: a code that may stand in the ledger in clear.

>>> parse_case_reference(" DSP-2026-0001 ")
'DSP-2026-0001'
>>> parse_case_reference("11010519491231002X")
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: CASE_REFERENCE_FORMAT: ...
"""

import re

from shiming.vocabulary.errors import BadInput, Text

CASE_REFERENCE_PATTERN = r"^[A-Za-z][A-Za-z0-9]{1,11}([-_./][A-Za-z0-9]{1,16}){1,6}$"
CASE_CHARACTERS_MAX = 64  # a reference is typed by people
_LONG_NUMBER = re.compile(r"\d{7,}[Xx]?")


def parse_case_reference(text: str) -> str:
    """Return the reference; raise BadInput for what could be a name or a number of a person or a line."""
    found = text.strip()
    if (
        len(found) > CASE_CHARACTERS_MAX
        or not re.fullmatch(CASE_REFERENCE_PATTERN, found)
        or _LONG_NUMBER.search(found)
    ):
        raise BadInput(
            "CASE_REFERENCE_FORMAT",
            Text(zh="案件编号格式不正确。", en="This is no case reference."),
            Text(
                zh="请用如 DSP-2026-0001 的编号，不要使用证件号码或电话号码。",
                en="Write a code such as DSP-2026-0001, never the number of a document or a line.",
            ),
        )
    return found
