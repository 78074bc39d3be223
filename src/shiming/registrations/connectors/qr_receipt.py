"""The code on a receipt: signed content, packed for a QR code, and unpacked by anybody with the public key.

    SHIMING1: BASE45( Ed25519 signature, 64 bytes | zlib( RFC 8785 JSON ) )

The signature is over `DOMAIN` and the packed bytes, so that nothing is unpacked that was not signed, and no
bit can change. Nothing has to be asked of anybody to verify it.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import segno

from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
from shiming.infrastructure.signing import Signer, key_id_of, verify_signature
from shiming.registrations.model.paper_receipts import DOMAIN, KIND, VERSION, PaperGenuine, PaperNotGenuine
from shiming.registrations.rules import base45
from shiming.vocabulary.errors import BadInput, Text

PREFIX = "SHIMING1:"
_SIGNATURE_BYTES = 64
_TEXT_CHARACTERS_MAX = 4296  # what the largest QR code holds
_CONTENT_BYTES_MAX = 8192  # ours has about 700; a hostile code must not unpack to gigabytes
_PIXELS_A_MODULE = 4
_ERROR_LEVEL = "m"  # 15 % may be stained or folded

_NOT_OURS = Text(zh="这不是实名登记回执的二维码。", en="This is no code of a registration receipt.")
_DAMAGED = Text(zh="二维码内容损坏或被更改。", en="The content of the code is damaged or was altered.")
_OTHER_KEY = Text(
    zh="该二维码不是由所给公钥对应的密钥签发。",
    en="The code was not signed by the key that was given, or was altered.",
)


def pack(content: Mapping[str, Any], signer: Signer) -> str:
    """Return the text of the QR code."""
    packed = zlib.compress(canonical_bytes(dict(content)), 9)
    signature = base64.b64decode(signer.sign(DOMAIN + packed))
    return PREFIX + base45.encode(signature + packed)


def unpack(text: str, public_keys: Sequence[str]) -> PaperGenuine | PaperNotGenuine:
    """Check a code by the public keys (base64) that the verifier trusts.

    (1) it is one of ours; (2) a trusted key signed it; (3) it unpacks within bounds; (4) it is the one
    spelling of a receipt of the version we know.
    """
    text = text.strip("\r\n")
    if not text.startswith(PREFIX) or len(text) > _TEXT_CHARACTERS_MAX:
        return PaperNotGenuine("QR_NOT_A_RECEIPT", _NOT_OURS)
    try:
        carried = base45.decode(text.removeprefix(PREFIX))
    except ValueError:
        return PaperNotGenuine("QR_DAMAGED", _DAMAGED)
    signature, packed = base64.b64encode(carried[:_SIGNATURE_BYTES]).decode(), carried[_SIGNATURE_BYTES:]
    key = next((key for key in public_keys if verify_signature(key, signature, DOMAIN + packed)), None)
    if key is None:
        return PaperNotGenuine("QR_SIGNATURE_WRONG", _OTHER_KEY)
    try:
        plain = _inflate(packed)
        content = parse_object(plain)
    except (ValueError, zlib.error, BadInput):
        return PaperNotGenuine("QR_DAMAGED", _DAMAGED)
    known = (content.get("kind"), content.get("version")) == (KIND, VERSION)
    if not known or canonical_bytes(content) != plain:
        return PaperNotGenuine("QR_NOT_A_RECEIPT", _NOT_OURS)
    return PaperGenuine(key_id_of(key), content)


def png(text: str) -> bytes:
    """Return the code as a picture."""
    picture = BytesIO()
    symbol(text).save(picture, kind="png", scale=_PIXELS_A_MODULE)
    return picture.getvalue()


def in_terminal(text: str) -> str:
    """Return a code as lines for a terminal, for a telephone that is held against the screen."""
    lines = StringIO()
    segno.make_qr(text).terminal(out=lines, compact=True)
    return lines.getvalue()


def symbol(text: str) -> segno.QRCode:
    """Return the QR code of a text, with the quiet zone left to whoever draws it."""
    return segno.make_qr(text, error=_ERROR_LEVEL, boost_error=False)


def _inflate(packed: bytes) -> bytes:
    """Return what was packed; ValueError beyond the limit, or with anything behind its end."""
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(packed, _CONTENT_BYTES_MAX)
    if not unpacking.eof or unpacking.unused_data:
        message = "more than a receipt"
        raise ValueError(message)
    return plain
