"""Barcodes with invented text, by the writer of zxing-cpp."""

import cv2
import numpy as np
import zxingcpp

from tools.specimens.typefaces import Pixels

SYMBOLOGIES = ("QRCode", "PDF417", "Code128")


def barcode(text: str, symbology: str, scale: int = 4) -> Pixels:
    """Return a picture of the code with a quiet zone, BGR."""
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, symbology))
    grey = np.asarray(code.to_image(scale=scale, add_quiet_zones=True), dtype=np.uint8)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
