"""Codes and links by which a customer confirms: made from chance and a key, kept as keyed hashes.

The code follows from the link's token, so that the link can show it although it is kept nowhere; nobody
without both the token and the installation's key can make it. Both follow from the matter, too: for another
number, or another count, they are another code.
"""

import base64
import hashlib
import hmac

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.encryption import KeyProvider, KeyUse
from shiming.registrations.model.confirmation import IssuedCode, Matter
from shiming.vocabulary.permissions import inside

TOKEN_BYTES = 32


@inside("a code is issued by a verb")
def new_token(random_bytes: bytes) -> str:
    """Return the token of a link."""
    return base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")


@inside("links are found by this")
def link_hash(token: str) -> str:
    """Return the hash that a link is found by; 256 bits of chance need no key."""
    return hashlib.sha256(token.encode()).hexdigest()


@inside("shared by issuing and comparing")
def covers(keys: KeyProvider, matter: Matter, key_id: str | None = None) -> str:
    """Return the keyed hash of what a code is good for, `key-id:hash`."""
    return _mac(keys, "confirmation_matter", matter, "", key_id)


@inside("shared by issuing and showing")
def code_of(keys: KeyProvider, matter: Matter, token: str, digits: int, key_id: str | None = None) -> str:
    """Return the digits that belong to a link; 10**12 into 2**256 favours none measurably."""
    mac = _mac(keys, "confirmation_code", matter, token, key_id)
    return f"{int(mac.rpartition(':')[2], 16) % 10**digits:0{digits}d}"


@inside("shared by issuing and comparing")
def code_hash(keys: KeyProvider, matter: Matter, code: str, issue: int, key_id: str | None = None) -> str:
    """Return what is kept of a code, the how-manieth of its order included."""
    return _mac(keys, f"confirmation_code_kept_{issue}", matter, code, key_id)


@inside("a code is compared where it is used")
def is_covered(keys: KeyProvider, matter: Matter, issued: IssuedCode) -> bool:
    """Say whether a code was made for this."""
    return _same(issued.covers, covers(keys, matter, _key_of(issued)))


@inside("a code is compared where it is used")
def is_right(keys: KeyProvider, matter: Matter, issued: IssuedCode, code: str) -> bool:
    """Say whether this is the code, in a time that tells nothing."""
    return _same(issued.code_hash, code_hash(keys, matter, code, issued.issued, _key_of(issued)))


@inside("the link shows its code")
def shown_code(keys: KeyProvider, matter: Matter, issued: IssuedCode, token: str, digits: int) -> str:
    """Return the code of a link again, by the key that it was made with."""
    return code_of(keys, matter, token, digits, _key_of(issued))


def _key_of(issued: IssuedCode) -> str:
    return issued.covers.rpartition(":")[0]


def _same(kept: str, found: str) -> bool:
    return hmac.compare_digest(kept.encode(), found.encode())


def _mac(keys: KeyProvider, kind: str, matter: Matter, secret: str, key_id: str | None) -> str:
    """Return `key-id:hash`; the kind keeps these apart from all else that the key is used for."""
    number = matter.identifier and matter.identifier.reveal("hashed with a key")
    content = {
        "kind": kind,
        "reference": matter.reference,
        "operator": matter.operator,
        "session": matter.session_id,
        "lines": matter.lines,
        "identifier": number,
        "secret": secret,
    }
    mac = keys.mac(KeyUse.PSEUDONYM, canonical_bytes(content), key_id)
    return f"{mac.key_id}:{mac.value}"
