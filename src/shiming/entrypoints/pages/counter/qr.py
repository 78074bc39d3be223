"""A QR code as a picture of its own: inline pictures would need a style, which the content policy forbids."""

from io import BytesIO

from fastapi import Response

from shiming.registrations.connectors.qr_receipt import symbol
from shiming.vocabulary.errors import BadInput, Text

_SCALE = 4
_QUIET_ZONE = 2  # modules; the page adds a white frame


def qr_answer(text: str | None) -> Response:
    """Return the code of a text; QR_GONE when there is none any more."""
    if text is None:
        raise BadInput(
            "QR_GONE",
            Text(zh="二维码已失效。", en="The QR code is not valid any more."),
            Text(zh="请重新生成。", en="Make a new one."),
        )
    picture = BytesIO()
    symbol(text).save(picture, kind="svg", scale=_SCALE, border=_QUIET_ZONE, dark="#000", light="#fff")
    return Response(picture.getvalue(), media_type="image/svg+xml", headers={"cache-control": "no-store"})
