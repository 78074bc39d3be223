"""1D and 2D codes on a document, by zxing-cpp."""

import zxingcpp

from shiming.recognition.images import reduced
from shiming.recognition.measurements import Barcode, Image

_SIDE_PX = 1600
_CODES_MAX = 8
_TEXT_LENGTH_MAX = 4096  # the largest codes hold less


def read_barcodes(image: Image) -> tuple[Barcode, ...]:
    """Return the codes of a picture, in any direction."""
    codes = zxingcpp.read_barcodes(reduced(image, _SIDE_PX), try_downscale=False)
    return tuple(Barcode(str(code.format.name), code.text[:_TEXT_LENGTH_MAX]) for code in codes[:_CODES_MAX])
