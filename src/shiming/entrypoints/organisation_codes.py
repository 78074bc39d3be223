"""Which schemes of organisation codes the program can check, by the name that a pack gives them."""

from collections.abc import Callable, Mapping

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.organisation_codes.cn import UnifiedSocialCreditCode

CODE_CHARACTERS_MAX = 40
#: Scheme (`enterprise.code_scheme` of a pack) -> reads a code and returns it in its one form.
SCHEMES: Mapping[str, Callable[[str], str]] = {
    "unified_social_credit_code": lambda text: UnifiedSocialCreditCode.parse(text).masked(),  # all of it
}


def read_organisation_code(scheme: str | None, text: str) -> str:
    """Return a code in its one form; raise BadInput. Without a scheme it is only trimmed."""
    if scheme is None:
        return _as_typed(text)
    if scheme not in SCHEMES:
        raise BadInput(
            "CODE_SCHEME_UNKNOWN",
            Text(
                zh="规则包使用了未知的单位代码体系。",
                en="The pack names an unknown scheme of codes.",
            ),
            details={"scheme": scheme, "known": sorted(SCHEMES)},
        )
    return SCHEMES[scheme](text)


def _as_typed(text: str) -> str:
    code = "".join(text.split()).upper()
    if not code or len(code) > CODE_CHARACTERS_MAX or not code.isprintable():
        raise BadInput(
            "ORGANISATION_CODE_FORMAT",
            Text(zh="单位代码为空或过长。", en="The code of the organisation is empty or too long."),
        )
    return code
