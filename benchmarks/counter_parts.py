"""What the benchmarks of the counter share: a server and an authority as processes, one counter's journey.

The clip is the specimen's as a browser records it: WebM, VP8 and Opus, no duration in its header. The
challenge is drawn to fit it, as in `shiming demo`; everything else goes over HTTP.
"""

import base64
import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import httpx

from shiming.entrypoints.demo import OPERATOR, sandbox_settings
from shiming.entrypoints.demo_processes import SPECIMENS, free_port, running, sandbox_authority
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.store import get_session
from shiming.identity_proofing.use_cases.challenges import give_chosen_challenge
from shiming.jurisdictions.model import Gesture
from tests.entrypoints.http_processes import SCOPES, a_client_of_platform, token_of

CASES: dict[str, Any] = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
CHUNK_S = 0.25  # what MediaRecorder is asked for
_BITS_A_SECOND = 1_500_000  # a counter's camera over a good line
_TIMEOUT_S = 120
_TUS = {"tus-resumable": "1.0.0"}


class Busy(Exception):
    """Recognition is busy: to be asked again."""


@dataclass
class Site:
    """A running installation: its address, a clerk's token, and its platform for what has no route."""

    address: str
    token: str
    platform: Platform
    authority: str
    pid: int

    def client(self) -> httpx.Client:
        """Return a client with a connection of its own."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=_TIMEOUT_S, trust_env=False)


@contextlib.contextmanager
def a_site(folder: Path) -> Iterator[Site]:
    """Run `shiming up` and the sandbox authority over a fresh data folder."""
    platform = Platform(sandbox_settings(folder))
    credentials = a_client_of_platform(platform, SCOPES, OPERATOR)
    environment = {
        "SHIMING_DATA": str(platform.settings.data_folder),
        "SHIMING_DATABASE_URL": platform.settings.database_url,
        "SHIMING_SANDBOX": "1",
        "OMP_NUM_THREADS": "1",
    }
    with sandbox_authority(str(folder)) as authority:
        port = free_port()
        command = ["up", "--authority", authority]
        with running("server", str(folder), port, command, environment) as process:
            address = f"http://127.0.0.1:{port}"
            httpx.get(
                f"{address}/healthz", timeout=_TIMEOUT_S, trust_env=False
            )  # it listens before it answers
            yield Site(address, token_of(address, credentials), platform, authority, process.pid)


@dataclass
class Journey:
    """One person's way from the document to the decision; seconds of each step."""

    seconds: dict[str, float] = field(default_factory=dict)
    outcome: str = ""
    told_busy: int = 0

    def took(self, outcome: str) -> None:
        """Remember how it ended."""
        self.outcome = outcome

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def recorded_clip(folder: Path) -> tuple[Path, float]:
    """Write the specimen clip as a browser records it; return the file and its seconds."""
    target = folder / "recorded.webm"
    with (
        av.open(str(SPECIMENS / "clips/demo.mp4")) as source,
        av.open(str(target), "w", format="webm", options={"live": "1"}) as written,
    ):
        video: Any = source.streams.video[0]
        picture: Any = written.add_stream("libvpx", rate=video.average_rate)
        picture.width, picture.height, picture.pix_fmt = video.width, video.height, "yuv420p"
        picture.bit_rate = _BITS_A_SECOND
        picture.options = {"deadline": "realtime", "cpu-used": "8"}
        sound: Any = written.add_stream("libopus", rate=48_000)
        seconds = 0.0
        for packet in source.demux():
            for decoded in packet.decode():
                frame: Any = decoded
                seconds = max(seconds, float(frame.time or 0.0))
                if packet.stream.type == "video":
                    frame.pict_type = 0  # the encoder's own choice
                written.mux((picture if packet.stream.type == "video" else sound).encode(frame))
        written.mux(picture.encode(None))
        written.mux(sound.encode(None))
    return target, seconds


def open_session(site: Site, http: httpx.Client) -> tuple[str, dict[str, Any]]:
    """Open a session with a challenge that fits the clip."""
    session = _made(http.post("/v1/proofing-sessions", json={"channel": "shop"}), 201).json()["id"]
    return session, fitting_challenge(site.platform, session)


def fitting_challenge(platform: Platform, session: str) -> dict[str, Any]:
    """Draw the challenge that the person of the clip answers."""
    policy = platform.policy("", platform.today())
    with platform.begin() as connection:
        challenge = give_chosen_challenge(
            platform.proofing_tools(),
            connection,
            get_session(connection, session),
            policy,
            language=Language(CASES["digits_language"]),
            steps=tuple(Gesture(name) for name in CASES["gestures"]),
            digits=CASES["digits"],
        )
    return challenge_document(challenge)


def hand_in_document(http: httpx.Client, session: str) -> None:
    """Hand both sides of the card in."""
    front, back = ((SPECIMENS / CASES[f"document_{side}"]).read_bytes() for side in ("front", "back"))
    files = {"front": ("f.jpg", front, "image/jpeg"), "back": ("b.jpg", back, "image/jpeg")}
    _made(http.put(f"/v1/proofing-sessions/{session}/document", files=files), 200)


def stream_clip(http: httpx.Client, session: str, clip: bytes, seconds: float, journey: Journey) -> str:
    """Send the clip in chunks at the pace of its recording; return the reference of the upload.

    `journey` gets the seconds of recording and of the last chunk's answer.
    """
    said = ",".join(
        f"{name} {base64.b64encode(text.encode()).decode()}"
        for name, text in {"kind": "clip", "filetype": "video/webm"}.items()
    )
    headers = {**_TUS, "upload-defer-length": "1", "upload-metadata": said}
    made = _made(http.post(f"/v1/proofing-sessions/{session}/uploads", headers=headers), 201)
    at, chunks = made.headers["location"], max(1, round(seconds / CHUNK_S))
    size = -(-len(clip) // chunks)
    began = time.perf_counter()
    for number, start in enumerate(range(0, len(clip), size)):
        recorded_at = began + (number + 1) * CHUNK_S
        time.sleep(max(0.0, recorded_at - time.perf_counter()))
        last = {"upload-length": str(len(clip))} if start + size >= len(clip) else {}
        if last:
            journey.seconds["recording"] = time.perf_counter() - began
        with journey.step("last_chunk") if last else contextlib.nullcontext():
            _send(http, at, start, clip[start : start + size], last)
    return str(at.rpartition("/")[2])


def hand_in_clip(http: httpx.Client, session: str, upload: str, challenge: Mapping[str, Any]) -> None:
    """Hand in the clip that was uploaded."""
    parts = {"upload": (None, upload), "challenge": (None, json.dumps(challenge))}
    _made(http.put(f"/v1/proofing-sessions/{session}/clip", files=parts), 200)


def decide(http: httpx.Client, session: str) -> str:
    """Ask for the decision; return its outcome."""
    return str(_made(http.post(f"/v1/proofing-sessions/{session}/decision"), 200).json()["outcome"])


def _send(http: httpx.Client, at: str, start: int, chunk: bytes, last: Mapping[str, str]) -> None:
    headers = {
        **_TUS,
        "upload-offset": str(start),
        "content-type": "application/offset+octet-stream",
        **last,
    }
    _made(http.patch(at, headers=headers, content=chunk), 204)


def _made(answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and answer.json()["code"] == "RECOGNITION_BUSY":
        raise Busy
    if answer.status_code != status:
        raise SystemExit(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
    return answer
