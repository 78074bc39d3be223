"""The receipt on paper: what it says, what its code carries, and how a look at the code can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shiming.vocabulary.errors import Text

KIND = "paper_receipt"
VERSION = 1
#: Before the signed bytes, so that this signature can stand for nothing else that the key signs.
DOMAIN = b"shiming paper receipt v1\n"


@dataclass(frozen=True, slots=True)
class PaperPage:
    """One page in both languages: rows of a table, paragraphs, and the text of the QR code."""

    title: Text
    rows: tuple[tuple[Text, str], ...] = field(repr=False)
    paragraphs: tuple[Text, ...]
    qr_text: str = field(repr=False)
    beside_qr: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class PaperIssued:
    """A receipt on paper: the same PDF each time, as long as key and rules are the same."""

    line_id: str
    operator: str
    pdf: bytes = field(repr=False)
    qr_text: str = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaperGenuine:
    """The code was signed by a key that the verifier trusts; compare `content` with what is printed."""

    key_id: str
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaperNotGenuine:
    """The code proves nothing, and why."""

    code: str
    text: Text
