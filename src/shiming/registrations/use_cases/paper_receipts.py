"""Receipts on paper: give one out, and check the code on one that somebody shows."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import content_hash
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Confidence, Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.connectors.pdf_receipt import draw, find_code
from shiming.registrations.connectors.qr_receipt import pack, unpack
from shiming.registrations.events.contracts import RECEIPT_ISSUED
from shiming.registrations.model.lines import Line
from shiming.registrations.model.paper_receipts import PaperGenuine, PaperIssued, PaperNotGenuine
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.rules.paper_receipt import page_of, paper_content
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.receipts import note_issued
from shiming.registrations.use_cases.registering import issue_receipt
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import Text
from shiming.vocabulary.permissions import asks, inside

PAPER = "paper"


@dataclass(frozen=True, slots=True)
class PaperWords:
    """What the page needs besides the receipt: today's rules, and operators by name."""

    policy: Policy
    operator_name: Callable[[str], str]


@asks(MayReadReceipt)
def issue_paper_receipt(
    tools: RegistrationTools, connection: Connection, line_id: str, words: PaperWords, *, now: datetime
) -> PaperIssued | None:
    """Return the receipt of a line as PDF; None when there is no such line. The first one is noted."""
    line = find_line(connection, line_id)
    if line is None:
        return None
    signed = issue_receipt(tools, connection, line)
    receipt = {name: value for name, value in signed.items() if name != "signature"}
    content = paper_content(receipt, receipt_hash=content_hash(receipt), key_id=tools.signer.key_id)
    qr_text = pack(content, tools.signer)
    page = page_of(
        content,
        operator_name=words.operator_name(line.operator),
        sources=_sources(content["rules"], words.policy),
        kept_for=words.policy.retention.identity.period.value,
        qr_text=qr_text,
    )
    note_receipt(tools, connection, line, PAPER, content_hash(content), now=now)
    return PaperIssued(line_id, line.operator, draw(page), qr_text, content)


@inside("anybody who holds the paper and the public key may")
def verify_paper_receipt(text: str, public_keys: Sequence[str]) -> PaperGenuine | PaperNotGenuine:
    """Check the text of a QR code, offline."""
    return unpack(text, public_keys)


@inside("anybody who holds the file may")
def code_in_pdf(pdf: bytes) -> str | None:
    """Return the text of the QR code in a PDF of ours."""
    return find_code(pdf)


@inside("shared by the forms of receipts")
def note_receipt(
    tools: RegistrationTools,
    connection: Connection,
    line: Line,
    form: str,
    hashed: str,
    *,
    now: datetime,
) -> None:
    """Write leaf and event for a receipt that is given out, once for the same content."""
    if not note_issued(connection, line, form, hashed, now=now):
        return
    facts: dict[str, Fact] = {"line": line.line_id, "form": form, "content": hashed}
    record(connection, tools.privacy.keys, kind=RECEIPT_ISSUED, facts=facts, now=now, operator=line.operator)
    emit(connection, Event(RECEIPT_ISSUED, line.line_id, line.operator, now, facts))


@inside("shared by the forms of receipts")
def hash_of_text(text: str) -> str:
    """Return the hash of a receipt that is a text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _sources(citations: Sequence[str], policy: Policy) -> tuple[Text, ...]:
    """Return the titles of the laws that are cited, each once; our own judgement is no law."""
    names = dict.fromkeys(citation.partition(":")[0] for citation in citations)
    found = [policy.sources[name] for name in names if name in policy.sources]
    titles = [source.title for source in found if source.confidence is not Confidence.JUDGEMENT]
    if not titles:
        return ()
    zh, en = "；".join(title.zh for title in titles), "; ".join(title.en for title in titles)
    return (Text(zh=f"依据：{zh}。", en=f"By: {en}."),)
