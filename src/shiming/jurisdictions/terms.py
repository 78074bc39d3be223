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
    TRUSTED_REFEREE = "trusted_referee"


class Route(StrEnum):
    """Ways to give the live evidence; all lead to the same level."""

    STANDARD = "standard"
    NO_BLINK = "no_blink"
    HEAD_STILL = "head_still"
    DIGITS_TAPPED = "digits_tapped"
    ASSISTED = "assisted"
    REFEREE = "referee"


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


class HolderKind(StrEnum):
    """Who can hold a line."""

    PERSON = "person"
    ORGANISATION = "organisation"


class ProductClass(StrEnum):
    """What is sold, as far as the rules treat it differently."""

    VOICE = "voice"  # a telephone card of a person or of an organisation
    DATA = "data"  # a wireless data card
    FIXED = "fixed"
    INTERNET = "internet"
    IOT_SMALL = "iot_small"  # an industry card: little data to named targets, fenced
    IOT_GENERAL = "iot_general"  # an industry card with general traffic: its actual user is registered
    PRIVATE_LINE = "private_line"  # a voice private line (语音专线)
    ONE_NUMBER = "one_number"  # one number for several lines (一号通)
    SWITCHBOARD = "switchboard"  # a hosted switchboard (商务总机)
    TOLL_FREE = "toll_free"  # 400-type numbers


class EntryKind(StrEnum):
    """What brings a line and a holder together, or one of them to another place."""

    OPEN = "open"
    MOVE = "move"
    CHANGE_OF_HOLDER = "change_of_holder"
    PORT_IN = "port_in"
    SIM_REPLACEMENT = "sim_replacement"


class EntryRequirement(StrEnum):
    """What has to be there before an entry is registered, besides the proof of the person."""

    IDENTITY_RECORD = "identity_record"  # type, number, name, address of the document, in the vault
    POOL_NUMBER = "pool_number"  # the number comes from the operator's pool
    TERMS = "terms"  # the terms in force were accepted
    CONFIRMATION = "confirmation"  # the customer confirmed which lines are opened
    SIM = "sim"  # the card is known, where the line has one
    INSTALL_ADDRESS = "install_address"  # where the line has a place
    DONOR_CONFIRMED = "donor_confirmed"  # the operator that gives the number up has agreed


class StopReason(StrEnum):
    """Why a line is stopped."""

    UNREGISTERED = "unregistered"
    DISPUTE = "dispute"
    FRAUD = "fraud"
    REQUEST = "request"
    LOST_SIM = "lost_sim"
    REGULATOR_ORDER = "regulator_order"
    DOCUMENT_EXPIRED = "document_expired"
    HANDOVER_MISSED = "handover_missed"
    ACTUAL_USER_LEFT = "actual_user_left"
    FENCE_BROKEN = "fence_broken"


class StopLevel(StrEnum):
    """How much of a line is stopped; emergency calls never are."""

    ONE_WAY = "one_way"  # nothing goes out
    TWO_WAY = "two_way"  # nothing goes out or comes in


class StopActor(StrEnum):
    """Who sets or lifts a stop."""

    HOLDER = "holder"  # through whoever serves them, or by themselves
    CLERK = "clerk"
    COMPLIANCE = "compliance"
    SYSTEM = "system"  # a rule with a clock


class ProxyAllowed(StrEnum):
    """For whom somebody else may register."""

    ALL = "all"
    MINORS_ONLY = "minors_only"
    NOBODY = "nobody"


class Binding(StrEnum):
    """What an industry card is bound to."""

    IMEI = "imei"
    AREA = "area"
    NONE = "none"
