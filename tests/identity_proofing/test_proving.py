"""The whole act over a real database, with recognition that is told what to see."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from shiming.identity_proofing import store
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.model.evidence import AuthorityAnswer, StaffReview
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.receipts.verifying import ReceiptGenuine, verify_receipt
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.use_cases.challenges import Application, give_chosen_challenge, open_session
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.jurisdictions.model import Channel, Gesture, Route
from shiming.recognition.measurements import ClipFace, DocumentKind, FaceComparison
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from tests.databases import everything_in
from tests.identity_proofing.proofing_builders import NOW, a_policy
from tests.identity_proofing.proofing_desk import (
    NAME,
    NUMBER,
    AnsweringAuthority,
    Desk,
    Heard,
    a_back_side,
    a_front,
    a_measured_clip,
)

UNREADABLE = BadInput("NOTHING_SEEN", Text(zh="", en=""))


@pytest.fixture
def desk(tmp_path: Path, database: Engine) -> Desk:
    return Desk.open(tmp_path, database)


def codes(decided: Decided) -> set[str]:
    return {reason.code for reason in decided.adjudication.reasons}


def test_a_genuine_session_is_verified_recorded_and_signed(desk: Desk) -> None:
    decided = desk.prove(desk.ask())
    assert decided.adjudication.outcome == "Verified"
    assert isinstance(verify_receipt(decided.receipt, desk.tools.signer.public_key), ReceiptGenuine)
    with desk.begin() as connection:
        found = store.find_decided_session(connection, decided.session.id)
    assert found is not None
    assert (found.outcome, found.level, found.challenge_origin) == ("Verified", "real_person", "drawn")
    assert found.receipt == decided.receipt
    assert found.subject == decided.receipt["subject"]
    assert found.decided_at == desk.clock.now()
    assert desk.kept[0]["subject"] == found.subject
    assert set(desk.kept[0]["files"]) == {"document", "document_back", "clip"}


def test_no_name_or_number_is_in_the_receipt_or_the_database(desk: Desk) -> None:
    decided = desk.prove(desk.ask(), declared=DeclaredIdentity(NAME, NUMBER))
    written = json.dumps(decided.receipt, ensure_ascii=False).encode()
    files = everything_in(desk.engine)
    for secret in (NAME, NUMBER, "1949-12-31", "朝阳"):
        assert secret.encode() not in written
        assert secret.encode() not in files
    assert b"P-" in files


def test_a_challenge_serves_once(desk: Desk) -> None:
    challenge = desk.ask()
    assert desk.prove(challenge).adjudication.outcome == "Verified"
    again = desk.prove(challenge)
    assert (again.adjudication.outcome, codes(again)) == ("NotVerified", {"CHALLENGE_REPLAYED"})


def test_a_stale_challenge_is_asked_for_again(desk: Desk) -> None:
    challenge = desk.ask()
    desk.clock.forward(seconds=a_policy().challenge.life_seconds.value + 1)
    assert codes(desk.prove(challenge)) == {"CHALLENGE_STALE"}


def test_a_challenge_of_a_session_long_gone_opens_a_new_one(desk: Desk) -> None:
    challenge = desk.ask()
    desk.clock.forward(hours=2)
    decided = desk.prove(challenge)
    assert codes(decided) == {"CHALLENGE_STALE"}
    assert decided.session.id != challenge["session"]


def test_altered_unknown_and_foreign_challenges_are_refused(desk: Desk) -> None:
    first = desk.ask()
    assert codes(desk.prove(first | {"digits": "111111"})) == {"CHALLENGE_ALTERED"}
    assert codes(desk.prove(desk.ask() | {"session": first["session"]})) >= {"CHALLENGE_ALTERED"}
    assert "CHALLENGE_UNKNOWN" in codes(desk.prove(desk.ask() | {"id": "CHA-0000-0000-0000-0"}))
    assert "CHALLENGE_OTHER_SESSION" in codes(desk.prove(desk.ask(), session_id=desk.ask()["session"]))


def test_a_challenge_written_by_hand_counts_as_chosen(desk: Desk) -> None:
    desk.perform((Gesture.TURN_LEFT, Gesture.BLINK))
    decided = desk.prove({"steps": ["turn_left", "blink"], "digits": "470913", "origin": "drawn"})
    assert decided.adjudication.outcome == "Verified"
    assert decided.receipt["challenge"] == {"id": None, "origin": "chosen"}


def test_a_recorded_chosen_challenge_is_known_and_marked(desk: Desk) -> None:
    with desk.begin() as connection:
        session = open_session(desk.tools, connection, Application(Channel.SHOP, Route.STANDARD), a_policy())
        chosen = give_chosen_challenge(
            desk.tools, connection, session, a_policy(),
            language=Language.ENGLISH, steps=(Gesture.BLINK,), digits="470913",
        )  # fmt: skip
    desk.perform(chosen.steps)
    document = challenge_document(chosen)
    assert codes(desk.prove(document | {"origin": "drawn"})) == {"CHALLENGE_ALTERED"}


def test_without_a_challenge_or_clip_nobody_is_verified(desk: Desk) -> None:
    desk.ask()
    assert codes(desk.prove(None)) >= {"CHALLENGE_ABSENT"}
    assert codes(desk.prove(desk.ask(), clip=None)) == {"NO_CLIP"}


def test_retries_count_within_the_session_and_end_with_another_route(desk: Desk) -> None:
    challenge = desk.ask()
    for left in (2, 1):
        desk.perform(())
        decided = desk.prove(challenge)
        assert decided.receipt["decision"]["what"] == "clip"
        assert decided.receipt["decision"]["left"] == left
        challenge = desk.ask(session=decided.session.id)
        (desk.folder / "clip.mp4").write_bytes(f"take {left}".encode())
    desk.perform(())
    decided = desk.prove(challenge)
    assert decided.receipt["decision"]["what"] == "other_route"
    assert decided.session.attempts[EvidenceKind.CLIP] == 3
    fourth = desk.prove(desk.ask(session=decided.session.id))
    assert fourth.receipt["decision"]["what"] == "other_route"  # a fourth clip is not looked at
    route = fourth.receipt["decision"]["routes"]
    assert "assisted" in route


def test_a_sixth_photo_is_not_looked_at(desk: Desk) -> None:
    session = None
    for take in range(6):
        desk.sees["front.jpg"] = a_front(portrait=None) if take < 5 else a_front()
        (desk.folder / "front.jpg").write_bytes(f"photo {take}".encode())
        decided = desk.prove(None, clip=None, session_id=session)
        session = decided.session.id
    assert decided.session.attempts[EvidenceKind.DOCUMENT] == 5
    assert decided.receipt["evidence"]["document"] is None


def test_another_document_brought_in_later_gains_nothing_from_an_earlier_clip(desk: Desk) -> None:
    """Own card and own clip first, then somebody else's card alone in the same session."""
    challenge = desk.ask()
    heard, desk.sees["digits:clip.mp4"] = desk.sees["digits:clip.mp4"], Heard(-40.0, 6)
    first = desk.prove(challenge)
    assert codes(first) == {"DIGITS_MISMATCH"}
    desk.sees["digits:clip.mp4"] = heard
    (desk.folder / "front.jpg").write_bytes(b"a stranger's card")
    looked = tuple(StaffReview(s, same_person=True, document_genuine=True, at=NOW) for s in ("a", "b"))
    for route in (Route.STANDARD, Route.ASSISTED):
        swapped = desk.prove(None, clip=None, session_id=first.session.id, route=route)
        assert swapped.adjudication.outcome != "Verified"
        assert swapped.receipt["evidence"]["face_clip_document"] is None
    desk.prove(None, clip=None, session_id=first.session.id, route=Route.ASSISTED, reviews=looked)
    (desk.folder / "front.jpg").write_bytes(b"another stranger's card")
    swapped = desk.prove(None, clip=None, session_id=first.session.id, route=Route.ASSISTED)
    assert swapped.receipt["evidence"]["reviews"] == []


def test_an_old_clip_for_a_new_challenge_is_an_attempt(desk: Desk) -> None:
    challenge = desk.ask()
    desk.perform(())
    first = desk.prove(challenge)
    second = desk.prove(desk.ask(session=first.session.id))
    assert second.session.attempts[EvidenceKind.CLIP] == 2
    assert second.session.attempts[EvidenceKind.DOCUMENT] == 1  # the same photo again is none


def test_digits_come_from_the_clip_or_from_a_recording(desk: Desk) -> None:
    challenge = desk.ask()
    desk.sees["digits:clip.mp4"] = UNREADABLE
    assert codes(desk.prove(challenge)) == {"DIGITS_ABSENT"}
    assert desk.prove(desk.ask(), digits=desk.folder / "digits.wav").adjudication.outcome == "Verified"
    challenge = desk.ask()
    desk.perform(tuple(Gesture(s["gesture"]) for s in challenge["steps"]), has_audio=False)
    assert codes(desk.prove(challenge)) == {"DIGITS_ABSENT"}


def test_a_recording_that_cannot_be_read_is_bad_input_and_leaves_the_challenge_unused(desk: Desk) -> None:
    challenge = desk.ask()
    heard, desk.sees["digits:digits.wav"] = desk.sees["digits:digits.wav"], UNREADABLE
    with pytest.raises(BadInput):
        desk.prove(challenge, digits=desk.folder / "digits.wav")
    desk.sees["digits:digits.wav"] = heard
    assert desk.prove(challenge, digits=desk.folder / "digits.wav").adjudication.outcome == "Verified"


def test_a_missing_model_is_never_a_pass(desk: Desk) -> None:
    challenge = desk.ask()
    desk.sees["digits:clip.mp4"] = Unavailable("MODEL_MISSING", Text(zh="", en=""))
    decided = desk.prove(challenge)
    assert (decided.adjudication.outcome, codes(decided)) == ("NeedsReview", {"DIGITS_MODEL_UNAVAILABLE"})
    challenge = desk.ask()
    desk.sees["faces"] = FaceComparison(0.9, None)
    assert desk.prove(challenge).adjudication.outcome == "NeedsReview"


def test_faces_that_cannot_be_compared_ask_for_the_document_again(desk: Desk) -> None:
    challenge = desk.ask()
    desk.sees["portrait"] = UNREADABLE
    assert codes(desk.prove(challenge)) == {"PORTRAIT_NOT_FOUND"}
    challenge = desk.ask()
    desk.sees["clip.mp4"] = replace(
        a_measured_clip(desk.sees["clip.mp4"].events), face=ClipFace(None, None, 0.0, 0.0, float("nan"))
    )
    assert "CLIP_QUALITY" in codes(desk.prove(challenge))


def test_the_sides_may_be_given_in_either_order(desk: Desk) -> None:
    swapped = {"document": desk.folder / "back.jpg", "document_back": desk.folder / "front.jpg"}
    assert desk.prove(desk.ask(), **swapped).adjudication.outcome == "Verified"


def test_the_back_may_be_missing_when_the_authority_confirms(desk: Desk) -> None:
    assert desk.prove(desk.ask(), document_back=None).adjudication.outcome == "Verified"
    desk.authority = AnsweringAuthority(AuthorityAnswer.UNREACHABLE)
    decided = desk.prove(desk.ask(), document_back=None)
    assert (decided.adjudication.outcome, codes(decided)) == (
        "NeedsReview", {"VALIDITY_UNKNOWN", "AUTHORITY_UNREACHABLE"},
    )  # fmt: skip


def test_the_authority_is_told_from_its_portrait(desk: Desk) -> None:
    desk.authority = AnsweringAuthority(AuthorityAnswer.MISMATCH, without_portrait=AuthorityAnswer.MATCH)
    decided = desk.prove(desk.ask())
    assert (decided.adjudication.outcome, codes(decided)) == ("NeedsReview", {"FACE_AUTHORITY_MISMATCH"})
    desk.authority = AnsweringAuthority(AuthorityAnswer.MISMATCH)
    assert codes(desk.prove(desk.ask())) == {"AUTHORITY_MISMATCH"}
    assert [q.portrait_jpeg for q in desk.authority.asked] == [b"jpeg", None]
    transactions = {q.transaction_id for q in desk.authority.asked}
    assert len(transactions) == 2


def test_an_unread_number_is_not_asked_about(desk: Desk) -> None:
    fields = {"name": NAME}
    desk.sees["front.jpg"] = a_front(fields=fields, number_checksum=None)
    decided = desk.prove(desk.ask())
    assert decided.receipt["subject"] is None
    assert codes(decided) == {"DOCUMENT_UNREADABLE"}
    assert isinstance(desk.authority, AnsweringAuthority)
    assert not desk.authority.asked


def test_declared_fields_are_compared(desk: Desk) -> None:
    declared = DeclaredIdentity("王小 明", NUMBER.lower())
    assert desk.prove(desk.ask(), declared=declared).adjudication.outcome == "Verified"
    other = DeclaredIdentity("Ann Other", "11010519491231003X")
    assert codes(desk.prove(desk.ask(), declared=other)) == {"DATA_MISMATCH"}
    assert NUMBER not in repr(declared)


def test_tapped_digits(desk: Desk) -> None:
    challenge = desk.ask(Route.DIGITS_TAPPED)
    assert desk.prove(challenge, tapped=challenge["digits"]).adjudication.outcome == "Verified"
    assert codes(desk.prove(desk.ask(Route.DIGITS_TAPPED), tapped="000000")) == {"DIGITS_MISMATCH"}
    assert codes(desk.prove(desk.ask(Route.DIGITS_TAPPED))) == {"DIGITS_ABSENT"}


def test_two_members_of_staff(desk: Desk) -> None:
    looked = tuple(StaffReview(s, same_person=True, document_genuine=True, at=NOW) for s in ("a", "b"))
    decided = desk.prove(None, route=Route.ASSISTED, clip=None, reviews=looked)
    assert decided.adjudication.outcome == "Verified"
    again = desk.prove(None, route=Route.ASSISTED, clip=None, reviews=(looked[0], looked[0]))
    assert codes(again) == {"REVIEW_SAME_STAFF"}


def test_a_passport(desk: Desk) -> None:
    desk.sees["front.jpg"] = a_front(
        kind=DocumentKind.MRZ_TD3,
        fields={
            "document_code": "P<",
            "surname": "ERIKSSON",
            "given_names": "ANNA",
            "document_number": "L898902C3",
            "birth_date": "1974-08-12",
            "expiry_date": "2032-04-15",
            "sex": "female",
        },
        number_checksum=None,
        mrz_check_digits=True,
        cross_checks={},
    )
    application = Application(Channel.SHOP, Route.STANDARD, "foreigner")
    decided = desk.prove(desk.ask(category="foreigner"), document_back=None, application=application)
    assert decided.adjudication.outcome == "Verified"
    assert isinstance(desk.authority, AnsweringAuthority)
    assert desk.authority.asked[0].identifier_type == "PASSPORT"
    assert desk.authority.asked[0].identity.name == "ERIKSSON ANNA"


@pytest.mark.parametrize(
    ("field", "value"), [("category", "martian"), ("route", "by_post"), ("channel", "market")]
)
def test_what_the_pack_does_not_know_is_bad_input(desk: Desk, field: str, value: Any) -> None:
    application = replace(Application(Channel.SHOP, Route.STANDARD), **{field: value})
    with pytest.raises(BadInput, match="POLICY_WITHOUT_RULES"):
        desk.prove(None, application=application)


def test_an_unknown_session_is_bad_input(desk: Desk) -> None:
    challenge = desk.ask()
    with pytest.raises(BadInput, match="SESSION_UNKNOWN"):
        desk.prove(challenge, session_id="SES-0000-0000-0000-0")


def test_two_answers_cannot_both_be_the_first(desk: Desk) -> None:
    challenge = desk.ask()
    with desk.begin() as connection:
        assert store.use_challenge(connection, challenge["id"], desk.clock.now())
        assert not store.use_challenge(connection, challenge["id"], desk.clock.now())


def test_an_unread_back_is_asked_for_again(desk: Desk) -> None:
    desk.sees["back.jpg"] = a_back_side(fields={})
    desk.authority = AnsweringAuthority(AuthorityAnswer.UNREACHABLE)
    decided = desk.prove(desk.ask())
    assert decided.receipt["decision"]["what"] == "document"


def test_nothing_heard(desk: Desk) -> None:
    challenge = desk.ask()
    desk.sees["digits:clip.mp4"] = Heard(-99.0, 0)
    assert codes(desk.prove(challenge)) == {"DIGITS_ABSENT"}


def test_a_case_in_review_keeps_its_clip_and_gives_all_up_when_nobody_is_proven(desk: Desk) -> None:
    desk.authority = AnsweringAuthority(AuthorityAnswer.UNREACHABLE)
    first = desk.prove(desk.ask())
    assert first.adjudication.outcome == "NeedsReview"
    assert desk.kept[-1]["pending"] is True
    desk.authority = AnsweringAuthority(AuthorityAnswer.MISMATCH)
    second = desk.prove(desk.ask(session=first.session.id), session_id=first.session.id)
    assert second.adjudication.outcome == "NotVerified"
    assert desk.released == [first.session.id]


def test_a_verified_case_is_kept_for_good(desk: Desk) -> None:
    assert desk.prove(desk.ask()).adjudication.outcome == "Verified"
    assert desk.kept[-1]["pending"] is False
    assert desk.released == []
