"""The words that a pack and the program share: what the program knows how to do.

A pack that asks for anything else is refused when it is read. Words that only a jurisdiction knows
(kinds of documents, categories of subjects) are names defined by its pack.
"""

from enum import StrEnum


class Channel(StrEnum):
    """Where a person applies."""

    SHOP = "shop"
    AGENT = "agent"
    ONLINE = "online"


class CheckName(StrEnum):
    """What identity proofing can check; a required one that is absent can never end in Verified."""

    DOCUMENT_GENUINE = "document_genuine"
    DOCUMENT_VALID = "document_valid"
    FIELDS_AGREE = "fields_agree"
    FACE_CLIP_DOCUMENT = "face_clip_document"
    FACE_CLIP_AUTHORITY = "face_clip_authority"
    SAME_PERSON = "same_person"
    GESTURES = "gestures"
    DIGITS = "digits"
    PRESENTATION_ATTACK = "presentation_attack"
    AUTHORITY = "authority"
    ASSISTED_REVIEW = "assisted_review"


class Route(StrEnum):
    """Ways to give the live evidence; all lead to the same level."""

    STANDARD = "standard"
    NO_BLINK = "no_blink"
    HEAD_STILL = "head_still"
    DIGITS_TAPPED = "digits_tapped"
    ASSISTED = "assisted"


class Gesture(StrEnum):
    """What a challenge may ask for; left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    BLINK = "blink"
    MOUTH_OPEN = "mouth_open"


class DigitsMode(StrEnum):
    """How the digits of a challenge are given."""

    SPOKEN = "spoken"
    TAPPED = "tapped"
    NONE = "none"


class VerificationModel(StrEnum):
    """GSMA's three models of mandatory registration."""

    CAPTURE_STORE = "capture_store"
    CAPTURE_SHARE = "capture_share"
    CAPTURE_VALIDATE = "capture_validate"


class UnreachableOutcome(StrEnum):
    """What a session becomes when the authority does not answer; passing is not among them."""

    NEEDS_REVIEW = "needs_review"
    QUEUE = "queue"


class AfterAttempts(StrEnum):
    """What follows when the attempts at one piece of evidence are used up."""

    OTHER_ROUTE = "other_route"
    ASSISTED = "assisted"


class CapScope(StrEnum):
    """Whose lines count together."""

    OPERATOR = "operator"
    OPERATOR_GROUP = "operator_group"
    NATIONAL = "national"


class AtCap(StrEnum):
    """What happens to one line more than the cap."""

    REFUSE = "refuse"
    ENHANCED_REVIEW = "enhanced_review"


class ClockStart(StrEnum):
    """What starts a retention clock."""

    SERVICE_END = "service_end"
    DECISION = "decision"
    ACCESS = "access"


class DisclosurePurpose(StrEnum):
    """Why evidence may leave the operator, when a pack allows it."""

    LAWFUL_REQUEST = "lawful_request"
    INSPECTION = "inspection"
    DISPUTE = "dispute"
