"""Sessions that wait for people, put into a running installation without running a model."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.held_forms import identity_bytes, image_bytes
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.evidence import FaceVotes
from shiming.identity_proofing.model.session import EvidenceKind, SessionState
from shiming.identity_proofing.rules.sessions import begin_session, wait_for_people
from shiming.jurisdictions.model import Channel, Route
from tests.browser.live_world import DEMO, OPERATOR, SPECIMENS
from tests.identity_proofing.proofing_builders import a_clip, a_document, evidence_with

DOUBTFUL = FaceVotes(0.42, 0.62)


def a_waiting_session(platform: Platform, route: Route = Route.STANDARD) -> str:
    """Put a session in whose faces are in doubt, with all that it holds; return its reference."""
    tools, now = platform.proofing_tools(), platform.clock.now()
    policy = platform.policy("", platform.today())
    reference = tools.new_reference("SES")
    opened = begin_session(
        reference, policy, channel=Channel.SHOP, route=route, subject="adult", now=now - timedelta(minutes=7)
    )
    given = replace(
        opened,
        state=SessionState.LIVE_EVIDENCE,
        attempts={EvidenceKind.DOCUMENT: 1, EvidenceKind.CLIP: 1, EvidenceKind.DIGITS: 1},
        fingerprints={EvidenceKind.DOCUMENT: "made"},
    )
    waiting = wait_for_people(given, policy, now)
    holding = HoldingTools(platform.privacy.objects, platform.keys, tools.new_reference)
    with platform.begin() as connection:
        store.add_session(connection, waiting, OPERATOR)
        store.save_evidence(
            connection,
            evidence_with(
                session_id=reference,
                route=route,
                on=platform.today(),
                document=a_document(),
                clip=a_clip(),
                face_clip_document=DOUBTFUL,
                authority=None,
            ),
        )
    held = held_pieces.hold(holding, platform.begin, reference, waiting.expires_at, _pieces())
    with platform.begin() as connection:
        held_pieces.make_present(connection, reference, held)
    return reference


def figures_of_a_quarter(platform: Platform) -> None:
    """Put ended sessions in, so that every kind of statement about a way is shown."""
    policy, now = platform.policy("", platform.today()), platform.clock.now()
    tools = platform.proofing_tools()
    counts = {
        Route.STANDARD: (60, 6),
        Route.NO_BLINK: (24, 3),
        Route.ASSISTED: (20, 12),
        Route.HEAD_STILL: (3, 0),
    }
    with platform.begin() as connection:
        for route, (verified, refused) in counts.items():
            for number in range(verified + refused):
                reference = tools.new_reference("SES")
                session = begin_session(
                    reference, policy, channel=Channel.SHOP, route=route, subject="adult",
                    now=now - timedelta(days=1 + number % 40),
                )  # fmt: skip
                store.add_session(connection, replace(session, state=SessionState.DECIDED), OPERATOR)
                store.save_evidence(connection, evidence_with(session_id=reference, route=route))
                outcome = "Verified" if number < verified else "NotVerified"
                receipt = {
                    "subject": None,
                    "decision": {"outcome": outcome, "level": None},
                    "challenge": None,
                }
                took = timedelta(seconds=40 + 3 * (number % 17) + (240 if route is Route.ASSISTED else 0))
                store.save_decision(connection, reference, receipt, session.opened_at + took)


def _pieces() -> dict[str, bytes | Path]:
    front = SPECIMENS / DEMO["document_front"]
    person = DEMO["person"]
    with Image.open(front) as picture:
        wide, high = picture.size
        portrait = picture.convert("RGB").crop(
            (int(wide * 0.62), int(high * 0.12), int(wide * 0.95), int(high * 0.75))
        )
        pixels = np.asarray(portrait)[:, :, ::-1].copy()
    return {
        "document": front,
        "document_back": SPECIMENS / DEMO["document_back"],
        "clip": SPECIMENS / DEMO["clip"],
        "portrait": image_bytes(pixels),
        "best_frame": image_bytes(pixels),
        "identity": identity_bytes(
            ClaimedIdentity(
                "resident_id",
                person["number"],
                person["name"],
                date.fromisoformat(person["birth_date"]),
                None,
                date.fromisoformat(person["valid_from"]),
                date.fromisoformat(person["valid_to"]),
                address=person["address"],
            )
        ),
    }
