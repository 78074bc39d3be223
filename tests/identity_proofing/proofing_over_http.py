"""A proofing platform for tests over HTTP: recognition is told what to see by the content of an upload."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from sqlalchemy.engine import Engine

from shiming.entrypoints.http_api import create_app
from shiming.identity_proofing.ports import EvidenceKeeper
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.jurisdictions.model import Gesture, Policy
from tests.identity_proofing.proofing_builders import ON, a_policy
from tests.identity_proofing.proofing_desk import Desk
from tests.infrastructure.http_peers import TableGatekeeper, client, serving

JPEG = b"\xff\xd8\xff\xe0"
MP4 = b"\x00\x00\x00\x18ftypmp42"
WAV = b"RIFF\x24\x00\x00\x00WAVE"
FRONT, BACK = JPEG + b"|front.jpg|" + b"." * 80, JPEG + b"|back.jpg|" + b"." * 80
CLIP, SOUND = MP4 + b"|clip.mp4|" + b"." * 80, WAV + b"|digits.wav|" + b"." * 80


def _named(file: Path) -> Path:
    """Return the name that the content of an upload states."""
    return Path(file.read_bytes().split(b"|")[1].decode())


@dataclass
class HttpDesk:
    """The platform that routes see, over a `Desk`."""

    desk: Desk
    data_folder: Path
    gatekeeper: TableGatekeeper = field(default_factory=TableGatekeeper)
    keeper: EvidenceKeeper | None = None  # instead of the desk's own

    def __post_init__(self) -> None:
        self.engine = self.desk.engine
        self.clock = self.desk.clock
        self.keys = InMemoryKeys({use: {f"{use.value}-1": bytes(32)} for use in KeyUse})
        self.privacy = SimpleNamespace(objects=FolderObjectStore(self.data_folder / "objects"))

    def begin(self) -> Any:
        return self.desk.begin()

    def today(self) -> date:
        return ON

    def policy(self, pack: str, on: date) -> Policy:
        del pack, on
        return a_policy()

    def worker_heartbeat(self) -> Any:
        return self.clock.now()

    def proofing_tools(self, authority: Any = None) -> ProofingTools:
        plain = self.desk.tools
        return replace(
            plain,
            authority=authority or plain.authority,
            keeper=self.keeper or plain.keeper,
            read_document=lambda picture: plain.read_document(_named(picture)),
            measure_clip=lambda clip: plain.measure_clip(_named(clip)),
            measure_digits=lambda sound, expected, language: plain.measure_digits(
                _named(sound), expected, language
            ),
        )


@contextlib.contextmanager
def a_served_desk(folder: Path, engine: Engine) -> Iterator[tuple[HttpDesk, httpx.Client]]:
    """Give the platform, and a clerk's client of the API that is served over it."""
    platform = HttpDesk(Desk.open(folder, engine), folder)
    app = create_app(platform, routers=("shiming.identity_proofing.api",))
    with serving(app) as address, client(address) as http:
        yield platform, http


def open_session(http: httpx.Client, **changes: Any) -> str:
    answer = http.post("/v1/proofing-sessions", json={"channel": "shop", **changes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def draw(platform: HttpDesk, http: httpx.Client, session: str, **wanted: Any) -> dict[str, Any]:
    """Have a challenge drawn, and let the person do it."""
    answer = http.post(f"/v1/proofing-sessions/{session}/challenges", json=wanted)
    assert answer.status_code == 201, answer.text
    challenge: dict[str, Any] = answer.json()
    platform.desk.perform(tuple(Gesture(step["gesture"]) for step in challenge["steps"]))
    return challenge
