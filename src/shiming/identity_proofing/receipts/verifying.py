"""Check that a receipt is whole and signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shiming.identity_proofing.receipts.issuing import ALGORITHM, KIND, VERSION
from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.signing import key_id_of, verify_signature
from shiming.vocabulary.errors import Text

#: Every member of the form; a receipt that lacks one, or has another, was not made by this program.
MEMBERS = frozenset(
    {"kind", "version", "session", "subject", "channel", "route", "category", "pack", "challenge", "decision",
     "required", "checks", "models", "evidence", "issued_at", "program", "signature"}
)  # fmt: skip

_REFUSALS = {
    "RECEIPT_FORM": Text(zh="不是本版本的决定回执。", en="This is no decision receipt of this version."),
    "RECEIPT_UNSIGNED": Text(zh="回执没有有效的签名。", en="The receipt bears no signature that counts."),
    "RECEIPT_KEY_NAME": Text(
        zh="密钥名称与公钥不符。", en="The name of the key does not belong to the public key."
    ),
    "RECEIPT_ALTERED": Text(
        zh="回执被改动，签名不符。", en="The receipt was altered: the signature does not fit."
    ),
    "RECEIPT_KEY_UNTRUSTED": Text(
        zh="回执由他人的密钥签署。", en="The receipt was signed by another key than the trusted one."
    ),
}


@dataclass(frozen=True, slots=True)
class ReceiptGenuine:
    """The receipt is whole and was signed by the key it names; `trusted`: that is the key expected."""

    key_id: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class ReceiptRefused:
    """The receipt proves nothing; the code is stable."""

    code: str

    @property
    def text(self) -> Text:
        """Why, in both languages."""
        return _REFUSALS[self.code]


def verify_receipt(
    receipt: Mapping[str, Any], trusted_public_key: str | None = None
) -> ReceiptGenuine | ReceiptRefused:
    """Check a receipt.

    (1) it has the form of this version  (2) it is signed with the algorithm of this version
    (3) the key's name belongs to the key  (4) the signature covers exactly what is written
    (5) the key is the one that the verifier trusts, where one is given
    """
    signature = receipt.get("signature")
    if set(receipt) != MEMBERS or receipt["kind"] != KIND or receipt["version"] != VERSION:
        return ReceiptRefused("RECEIPT_FORM")
    if not isinstance(signature, Mapping) or signature.get("algorithm") != ALGORITHM:
        return ReceiptRefused("RECEIPT_UNSIGNED")
    public_key, key_id = str(signature.get("public_key")), str(signature.get("key_id"))
    if key_id_of(public_key) != key_id:
        return ReceiptRefused("RECEIPT_KEY_NAME")
    if not _signature_fits(receipt, public_key, str(signature.get("value"))):
        return ReceiptRefused("RECEIPT_ALTERED")
    if trusted_public_key is not None and public_key != trusted_public_key:
        return ReceiptRefused("RECEIPT_KEY_UNTRUSTED")
    return ReceiptGenuine(key_id, trusted=trusted_public_key is not None)


def _signature_fits(receipt: Mapping[str, Any], public_key: str, value: str) -> bool:
    content = {name: part for name, part in receipt.items() if name != "signature"}
    try:
        message = canonical_bytes(content)
    except ValueError:
        return False
    return verify_signature(public_key, value, message)
