"""The number of a SIM card, read from a picture of its barcode.

POST /v1/sims/scans   a picture -> the ICCID that is printed on it, or none; nothing is kept
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.uploads import IMAGE, FilePart, Upload, UploadForm
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.sim_identifiers import Iccid

router = APIRouter(prefix="/v1/sims", tags=["sims"])
PICTURE = UploadForm((FilePart("picture", IMAGE),))
_ICCID = re.compile(r"(?<![0-9])89[0-9]{16,18}(?![0-9])")  # cards print other numbers beside it


class SimScanned(BaseModel):
    """The number that was read; null where no barcode with one was seen."""

    iccid: str | None


@router.post("/scans", openapi_extra=PICTURE.openapi_extra())
def scan(
    request: Request,
    asking: Annotated[Asking, asked(MayManageOrders)],
    upload: Annotated[Upload, PICTURE.received()],
) -> SimScanned:
    """Read the ICCID of a SIM card from a picture of its barcode; the picture is not kept."""
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    codes = request.app.state.platform.recognition.barcodes(upload.file("picture"))
    found = iccid_in(codes)
    return SimScanned(iccid=None if found is None else found.reveal("read for who holds the card"))


def iccid_in(codes: Iterable[str]) -> Iccid | None:
    """Return the first number with a right check digit; labels and separators around it do not matter.

    >>> iccid_in(["4006381333931", "ICCID: 8986 0112 8512 3456 7891"]).masked()
    '898601**********7891'
    >>> iccid_in(["89860112851234567890"])
    """
    for code in codes:
        for number in _ICCID.findall(re.sub(r"(?<=[0-9])[ .-](?=[0-9])", "", code)):
            with suppress(BadInput):
                return Iccid.parse(number)
    return None
