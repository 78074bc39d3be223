"""The main job over HTTP with everything real: recognition, authority, vault, ledger, accounts, registration.

The challenge is chosen to fit the shipped clip, as in `shiming demo`; all else goes through the API.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shiming.entrypoints.demo import NUMBER, OPERATOR, sandbox_settings
from shiming.entrypoints.demo_counter import take_order
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.recognition_tools import Recognition
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.commands import connector
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.sandbox_authority.faults import Faults
from shiming.identity_proofing.sandbox_authority.population import read_population
from shiming.identity_proofing.sandbox_authority.server import serving as serving_authority
from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.identity_proofing.store import get_session
from shiming.identity_proofing.use_cases.challenges import give_chosen_challenge
from shiming.jurisdictions.model import Gesture
from shiming.privacy.use_cases.vault import list_metadata
from tests.entrypoints.http_processes import SCOPES, a_client_of_platform, token_of
from tests.infrastructure.http_peers import client, serving
from tests.log_watch import specimens

pytestmark = pytest.mark.models
FOLDER = Path(__file__).parents[2] / "specimens"
DEMO: dict[str, Any] = json.loads((FOLDER / "cases.json").read_text("utf-8"))["demo"]


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    platform = Platform(sandbox_settings(folder))
    platform.recognition = CountingRecognition()
    return platform


@pytest.fixture
def http(platform: Platform) -> Iterator[httpx.Client]:
    policy = platform.policy("", platform.today())
    pretended = SandboxAuthority(
        population=read_population(FOLDER / "population" / "people.json"),
        compare=platform.portrait_comparer(),
        today=lambda: platform.today().isoformat(),
        token=None,
        faults=Faults(),
    )
    credentials = a_client_of_platform(platform, SCOPES | {"registrations.create"}, OPERATOR)
    with serving_authority(pretended) as authority:
        port = connector(authority, policy)
        with (
            serving(create_app(platform, authority=port)) as address,
            client(address, token_of(address, credentials)) as found,
        ):
            found.timeout = httpx.Timeout(120)
            yield found
        if port is not None:
            port.close()


def a_fitting_challenge(platform: Platform, session: str) -> dict[str, Any]:
    policy = platform.policy("", platform.today())
    with platform.begin() as connection:
        challenge = give_chosen_challenge(
            platform.proofing_tools(),
            connection,
            get_session(connection, session),
            policy,
            language=Language(DEMO["digits_language"]),
            steps=tuple(Gesture(name) for name in DEMO["gestures"]),
            digits=DEMO["digits"],
        )
    return challenge_document(challenge)


class CountingRecognition(Recognition):
    """Recognition that counts the clips it measures whole."""

    whole_clips = 0

    def clip(self, clip: Any) -> Any:
        self.whole_clips += 1
        return super().clip(clip)


def in_chunks(http: httpx.Client, sessions: str, clip: bytes) -> str:
    """Upload a clip as a camera does; return the reference of the upload."""
    tus = {"tus-resumable": "1.0.0"}
    said = "kind Y2xpcA==,filetype dmlkZW8vbXA0"  # clip, video/mp4
    made = http.post(
        f"{sessions}/uploads", headers={**tus, "upload-defer-length": "1", "upload-metadata": said}
    )
    at = made.headers["location"]
    chunk = {**tus, "content-type": "application/offset+octet-stream"}
    for start in range(0, len(clip), 200_000):
        last = {"upload-length": str(len(clip))} if start + 200_000 >= len(clip) else {}
        headers = {**chunk, **last, "upload-offset": str(start)}
        sent = http.patch(at, headers=headers, content=clip[start : start + 200_000])
        assert sent.status_code == 204, sent.text
    return str(at.rpartition("/")[2])


def test_a_person_is_proven_and_a_line_registered(platform: Platform, http: httpx.Client) -> None:
    session = http.post("/v1/proofing-sessions", json={"channel": "shop"}).json()["id"]
    sessions = f"/v1/proofing-sessions/{session}"
    challenge = a_fitting_challenge(platform, session)
    front, back, clip = (
        (FOLDER / DEMO[name]).read_bytes() for name in ("document_front", "document_back", "clip")
    )
    answer = http.put(
        f"{sessions}/document",
        files={"front": ("f.jpg", front, "image/jpeg"), "back": ("b.jpg", back, "image/jpeg")},
    )
    assert answer.status_code == 200, answer.text
    parts = {"upload": (None, in_chunks(http, sessions, clip)), "challenge": (None, json.dumps(challenge))}
    answer = http.put(f"{sessions}/clip", files=parts)
    assert isinstance(platform.recognition, CountingRecognition)
    assert platform.recognition.whole_clips == 0, "what arrived was measured on its way"
    assert answer.json()["given"] == ["document", "document_back", "clip", "digits"], answer.text
    decided = http.post(f"{sessions}/decision").json()
    assert (decided["outcome"], decided["state"]) == ("Verified", "decided"), decided
    take_order(platform, OPERATOR, NUMBER, session)
    wanted = {"operator": OPERATOR, "number": NUMBER, "session": session}
    key = {"idempotency-key": "till-7-0001"}
    line = http.post("/v1/registrations", json=wanted, headers=key)
    assert (line.status_code, line.json()["status"]) == (201, "pending"), line.text
    assert http.post("/v1/registrations", json=wanted, headers=key).json() == line.json()
    receipt = http.get(f"{sessions}/receipt").text
    assert not specimens().search(line.text + receipt)
    with platform.begin() as connection:
        kept = list_metadata(connection, case_reference=session)
    assert {"document_front", "document_back", "identity_record"} <= {ref.kind.value for ref in kept}
    assert not list((platform.data_folder / "spool").rglob("part-*"))
