"""Tokens of links in messages: 256 random bits, drawn when they are given out, kept as hashes only."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.privacy.model import AccessRequest, EvidenceContent, Purpose
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import read_evidence
from shiming.registrations.model.notices import Notice
from shiming.registrations.ports.notices import Contact
from shiming.registrations.store import actual_user_links as links
from shiming.registrations.store import receipt_links
from shiming.vocabulary.permissions import inside

LINK_PATH = "/v1/actual-user-links"
RECEIPT_PATH = "/r"  # a page: short, for it stands in a text message
TOKEN_BYTES = 32
SENDER = "notices"  # who reads a contact, in the records of the vault


@dataclass(frozen=True, slots=True)
class LinkReady:
    """A link that is about to go to its contact."""

    token: str = field(repr=False)
    contact: Contact


@inside("shared by making and sending links")
def draw_token(privacy: PrivacyTools) -> str:
    """Return a new token."""
    return base64.urlsafe_b64encode(privacy.random_bytes(TOKEN_BYTES)).decode().rstrip("=")


@inside("links are found by this")
def hash_token(token: str) -> str:
    """Return what is kept of a token; 256 random bits need no salt or stretching."""
    return hashlib.sha256(token.encode()).hexdigest()


@inside("a step of sending a notice: the token stands nowhere but in the message")
def renew_link(
    privacy: PrivacyTools, connection: Connection, notice: Notice, *, now: datetime
) -> LinkReady | None:
    """Give the link of a notice a new token, and read its contact; None: it is used, replaced or expired.

    The former token, which may have been sent before, opens nothing any more.
    """
    link = links.find_by_notice(connection, notice.notice_id, for_update=True)
    if link is None or link.closed_at is not None or link.expires_at <= now:
        return None
    asked = AccessRequest(SENDER, Purpose.REGISTRATION, link.contract_id)
    found = read_evidence(privacy, connection, notice.contact_evidence or "", asked, now=now)
    contact = json.loads(found.content).get(link.number) if isinstance(found, EvidenceContent) else None
    if contact is None:
        return None
    token = draw_token(privacy)
    links.renew(connection, link.token_hash, hash_token(token))
    return LinkReady(token, Contact(contact))


@inside("a step of sending a notice: the token stands nowhere but in the message")
def renew_receipt_link(
    privacy: PrivacyTools, connection: Connection, notice: Notice, *, now: datetime
) -> str | None:
    """Give the link to a receipt a new token and return it; None: it is replaced or expired."""
    link = receipt_links.find_by_notice(connection, notice.notice_id)
    if link is None or link.closed_at is not None or link.expires_at <= now:
        return None
    token = draw_token(privacy)
    receipt_links.renew(connection, link.token_hash, hash_token(token))
    return token
