r"""Base64 for URLs without padding (RFC 4648 section 5), as WebAuthn and JOSE write it.

>>> to_base64url(b"\xfb\xff"), from_base64url("-_8")
('-_8', b'\xfb\xff')
"""

import base64


def to_base64url(content: bytes) -> str:
    """Write bytes."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Read bytes; ValueError for anything else."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
