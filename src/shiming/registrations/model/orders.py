"""An order: what is asked for with one proof of a person, gathered until it is registered.

One session of proof has one order, and one order opens one line; the order is kept with the line.

Whose session it is: the holder's; for a line of an organisation the actual user's, or the handler's where
the product has no actual user. Whoever acts for the holder is the representative, with a session too.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, ProductClass
from shiming.registrations.model.lines import LineIdentifier, LineKind, SimForm


class RepresentativeRole(StrEnum):
    """Who acts for the holder."""

    PROXY = "proxy"  # of an adult, by authority
    GUARDIAN = "guardian"  # of a minor, by law
    HANDLER = "handler"  # of an organisation, by power of attorney


class Relation(StrEnum):
    """What a guardian is to the minor."""

    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    APPOINTED = "appointed"  # by a court, an authority or a will


class ConfirmationMethod(StrEnum):
    """How the customer confirmed which lines are opened."""

    READ_BACK = "read_back"  # a code that only the customer sees, read to the clerk
    OWN_DEVICE = "own_device"  # a link opened by the customer


@dataclass(frozen=True, slots=True)
class Representative:
    """Who acts for the holder: proven in a session of their own, entitled by a document."""

    role: RepresentativeRole
    session_id: str
    subject: str | None = None
    authority_evidence: str | None = None  # reference of the document in the vault
    relation: Relation | None = None  # of a guardian to the minor


@dataclass(frozen=True, slots=True)
class AwaitedRepresentative:
    """Somebody is to act for the holder and is not named yet; `session_id`: of their proof, once begun."""

    role: RepresentativeRole
    relation: Relation | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class TermsAcceptance:
    """Which version of the terms was accepted, when, and where."""

    version: str
    content_hash: str
    accepted_at: datetime
    channel: Channel
    language: str = "zh"  # in which it was shown


@dataclass(frozen=True, slots=True)
class LineConfirmation:
    """The customer saw "1 new line, number ..." and said yes: to this identifier and to no other."""

    identifier: LineIdentifier
    method: ConfirmationMethod
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class DonorConfirmation:
    """The operator that gives a number up has agreed: to this number, until then."""

    reference: str  # of the port in
    identifier: LineIdentifier
    until: datetime


@dataclass(frozen=True, slots=True)
class LineOrder:
    """What is asked for; what is None is not given yet, or does not belong to this kind of line."""

    session_id: str
    operator: str
    entry: EntryKind
    kind: LineKind
    product_class: ProductClass
    channel: Channel
    created_at: datetime
    identifier: LineIdentifier | None = None
    holder_kind: HolderKind = HolderKind.PERSON
    organisation: str | None = None  # ORG-...: the holder, when it is no person
    category: str | None = None  # of the person in the session: adult, minor, foreigner, ...
    representative: Representative | None = None
    awaited: AwaitedRepresentative | None = None  # who is to act, until they are named
    contract: str | None = None  # of an organisation: its contract for enterprise or industry cards
    iccid: str | None = None
    imsi: str | None = None
    sim_form: SimForm | None = None
    install_address: str | None = None  # reference of the address in the vault
    terms: TermsAcceptance | None = None
    confirmation: LineConfirmation | None = None
    cap_reserved_until: datetime | None = None
    review: str | None = None  # reference of the enhanced review that was passed
    donor: DonorConfirmation | None = None  # where a number comes from another operator
    delivery_until: datetime | None = None  # the card is on its way: proof and number are good until then
