"""QR codes in pages: drawn as vectors, large enough for an old telephone's camera at arm's length."""

import segno
from markupsafe import Markup

_QUIET_MODULES = 4  # ISO/IEC 18004
_ERROR_LEVEL = "m"  # a scratched or reflecting screen


def qr_code(text: str, description: str) -> Markup:
    """Return an `svg` that shows a text; screen readers read the description."""
    code = segno.make(text, error=_ERROR_LEVEL, micro=False)
    drawn = code.svg_inline(scale=1, border=_QUIET_MODULES, omitsize=True, svgclass="qr", lineclass=None)
    named = Markup('<svg role="img" aria-label="{}" ').format(description)
    return Markup(drawn.replace("<svg ", named, 1))  # noqa: S704 - drawn by ourselves from modules
