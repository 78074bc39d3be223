"""The number of a SIM card from a picture of its barcode."""

import io

import pytest
from PIL import Image as PilImage

from shiming.entrypoints.recognition_tools import Recognition
from shiming.entrypoints.sim_scan_api import iccid_in
from tools.specimens.barcodes import barcode

ICCID = "89860112851234567891"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (ICCID, True),
        ("ICCID:8986 0112 8512 3456 7891;PIN:1234", True),
        ("89860112851234567890", False),  # check digit
        ("1" + ICCID, False),
        ("LPA:1$example.org$CODE", False),
    ],
)
def test_a_number_is_taken_only_when_its_check_digit_is_right(code: str, found: bool) -> None:
    number = iccid_in(["4006381333931", code])
    assert (number is not None and number.reveal("a test") == ICCID) is found


@pytest.mark.parametrize("symbology", ["Code128", "QRCode"])
def test_a_barcode_in_a_picture_is_read(symbology: str) -> None:
    picture = io.BytesIO()
    PilImage.fromarray(barcode(ICCID, symbology)).save(picture, "PNG")
    assert Recognition.barcodes(picture.getvalue()) == (ICCID,)
