"""The tour as a process of its own: what it opens, who may sign in, and that nothing of it is left."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from shiming.entrypoints.pages.tour.specimens import boxes, files_of
from shiming.entrypoints.pages.tour.stations import STATIONS, camera_at
from shiming.entrypoints.pages.tour.visit import Camera
from shiming.entrypoints.pages.tour.visitor_card import decode_picture, forget_card, make_card
from shiming.entrypoints.tour_case import CaseState, WaitingCase
from shiming.entrypoints.tour_world import copy_population, new_password, tour_environment, use_environment
from shiming.identity_proofing.sandbox_authority.population import PopulationFile
from shiming.vocabulary.errors import BadInput, Text

SPECIMENS = Path(__file__).parents[2] / "specimens"
START_S_MAX = 180  # quiet: some eight seconds; a busy machine of CI is slower
_PAGE = {"accept": "text/html", "sec-fetch-site": "same-origin"}


@dataclass
class RunningTour:
    """A tour that has said where it is."""

    process: subprocess.Popen[str]
    said: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return Path(self.said["folder"])

    def processes(self) -> set[int]:
        """Return the processes whose data lie in its folder, as Linux knows them."""
        mine = f"SHIMING_DATA={self.folder}".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if mine in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
        return found


@contextlib.contextmanager
def a_tour(temporary: Path, *arguments: str) -> Iterator[RunningTour]:
    """Start a tour whose folder lies in `temporary`; kill it, whatever happened."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SHIMING_")}
    environment = {**plain, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "shiming", "tour", "--json", *arguments]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    too_late = threading.Timer(START_S_MAX, process.kill)
    too_late.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield RunningTour(process, json.loads(line))
    finally:
        too_late.cancel()
        process.kill()
        process.communicate()


def test_the_tour_opens_lets_everybody_in_and_leaves_nothing(tmp_path: Path) -> None:
    with a_tour(tmp_path, "--port", "0") as tour:
        assert tour.folder.parent == tmp_path
        assert (tour.folder.stat().st_mode & 0o777) == 0o700
        assert len(tour.processes()) == 3  # authority, network, worker; the server is the tour itself
        for sign_in in tour.said["sign_ins"]:
            _takes_its_place(tour.said["url"], sign_in)
        _orders_online(tour.said["url"])
        _decide_on_who_waits(tour.said["url"], {each["user_name"]: each for each in tour.said["sign_ins"]})
        tour.process.send_signal(signal.SIGTERM)
        _, errors = tour.process.communicate(timeout=60)
        assert (tour.process.returncode, errors) == (0, "")
        assert not tour.processes()
    assert list(tmp_path.iterdir()) == []


def _takes_its_place(url: str, sign_in: dict[str, Any]) -> None:
    places = {"clerk": "counter", "reviewer": "review", "auditor": "audit"}
    place = places.get(sign_in["user_name"], sign_in["user_name"])
    with httpx.Client(base_url=url, headers=_PAGE) as browser:
        form = {
            "user_name": sign_in["user_name"],
            "password": sign_in["password"],
            "next": f"/tour/go/{place}",
        }
        answer = browser.post("/sign-in/password", data=form)
        assert answer.headers["location"] == form["next"], answer.text
        answer = browser.get(form["next"])
        assert answer.status_code == 303
        shown = browser.get(answer.headers["location"])
        assert shown.status_code == 200, (sign_in["user_name"], shown.text[:500])
        assert 'href="/tour"' in shown.text
        assert "/js/tour/pretended_camera.js" in shown.text


def _orders_online(url: str) -> None:
    with httpx.Client(base_url=url, headers=_PAGE) as browser:
        assert "pretended_camera.js" not in browser.get("/").text  # until the visitor chose a camera
        answer = browser.post("/tour/go/home")
        assert answer.headers["location"].startswith("/a/")
        other_site = browser.post("/tour/go/home", headers={"sec-fetch-site": "cross-site"})
        assert other_site.status_code == 400


def _decide_on_who_waits(url: str, sign_ins: dict[str, dict[str, Any]]) -> None:
    """Have both reviewers look at the customer who came through document, clip and authority."""
    waits_until = time.monotonic() + START_S_MAX
    with httpx.Client(base_url=url, headers=_PAGE) as browser:
        while "A customer waits" not in (shown := browser.get("/tour/case").text):
            assert "on the way" in shown
            assert time.monotonic() < waits_until
            time.sleep(0.2)
        assert "A customer waits" in browser.get("/tour").text
    for number, name in enumerate(("reviewer", "second")):
        with httpx.Client(base_url=url, headers=_PAGE) as browser:
            word = sign_ins[name]["password"]
            browser.post("/sign-in/password", data={"user_name": name, "password": word, "next": "/desk"})
            (case,) = set(re.findall(r"/desk/reviews/SES-[0-9A-Z-]+", browser.get("/desk/reviews").text))
            page = browser.get(case).text
            assert f"{number} of 2 people" in page
            csrf = {"csrf_token": re.findall(r'name="csrf-token" content="([^"]+)"', page)[0]}
            for picture in ("portrait", "best_frame", "document", "frame_2"):
                looked = browser.post(
                    f"{case}/pictures/{picture}", data={**csrf, "purpose": "assisted_review"}
                )
                assert looked.content.startswith(b"\xff\xd8"), (picture, looked.text[:300])
            found = {"same_person": "yes", "document_genuine": "yes", "ground": "features_agree"}
            answer = browser.post(f"{case}/finding", data={**csrf, **found})
            assert answer.headers["location"] == f"{case}?said={('answered', 'decided')[number]}", answer.text


_LEASHED = """
import subprocess, sys
from shiming.entrypoints.tour_leash import on_a_leash
with on_a_leash() as leash:
    (leash.folder / "portrait.jpg").write_bytes(b"a face")
    command = [sys.executable, "-c", "input()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    leash.hold(process)
    print(process.pid, flush=True)
    process.wait()
"""


def test_a_tour_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", _LEASHED],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        held = Path("/proc") / process.stdout.readline().strip() / "status"
        (folder,) = tmp_path.iterdir()
        assert (folder / "portrait.jpg").is_file()
        process.kill()
    for _ in range(300):
        if not folder.exists() and not (held.exists() and "zombie" not in held.read_text()):
            break
        time.sleep(0.1)
    assert not folder.exists()
    assert not held.exists() or "zombie" in held.read_text()


def test_an_error_at_the_start_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "shiming", "tour", "--json", "--port", port],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_S_MAX,
        )
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"] == "ADDRESS_UNUSABLE"
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_says_how_to_open_it() -> None:
    command = [sys.executable, "-m", "shiming", "tour", "--if-terminal"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_S_MAX)  # noqa: S603 - ourselves
    assert done.returncode == 0
    assert "shiming tour" in done.stdout


def test_a_case_that_cannot_be_made_is_said_and_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def steps() -> Iterator[object]:
        raise BadInput("CLIP_UNREADABLE", Text(zh="视频无法读取。", en="The clip cannot be read."))
        yield

    with WaitingCase(steps) as case:
        assert case.state is CaseState.COMING
        case.begin()
    assert case.state.value == "failed"
    assert "no case for the reviewer" in caplog.text


def test_a_tour_that_ends_takes_no_further_step() -> None:
    begun, let_go = threading.Event(), threading.Event()
    taken: list[str] = []

    def steps() -> Iterator[object]:
        for step in ("document", "clip"):
            taken.append(step)
            begun.set()
            yield let_go.wait(10)

    with WaitingCase(steps) as case:
        case.begin()
        assert begun.wait(10)
        threading.Timer(0.2, let_go.set).start()
    assert (taken, case.state) == (["document"], CaseState.COMING)


def test_nothing_of_a_real_installation_is_taken_over(tmp_path: Path) -> None:
    mine = {"SHIMING_DATABASE_URL": "postgresql://theirs", "SHIMING_OBJECTS": "s3://theirs", "PATH": "/bin"}
    wanted = tour_environment(mine, tmp_path, "http://localhost:1")
    use_environment(mine, wanted)
    assert "theirs" not in str(mine)
    assert mine["SHIMING_SANDBOX"] == "1"
    assert mine["PATH"] == "/bin"


def test_passwords_are_drawn_each_time() -> None:
    drawn = {new_password() for _ in range(50)}
    assert len(drawn) == 50
    assert all(len(word) == 4 for password in drawn for word in password.split("-"))


@pytest.mark.parametrize("chosen", [None, *Camera])
def test_the_camera_of_a_place_is_its_own_or_the_chosen_one(chosen: Camera | None) -> None:
    assert camera_at(STATIONS["refused"], chosen) is Camera.STRANGER
    usual = Camera.SPECIMEN if chosen in {None, Camera.STRANGER} else chosen
    assert camera_at(STATIONS["counter"], chosen) is usual


def test_a_visitor_gets_a_card_that_the_authority_knows_until_they_delete_it(tmp_path: Path) -> None:
    population = copy_population(tmp_path)
    known = PopulationFile(population)
    before = set(known)
    portrait = (SPECIMENS / "population" / "demo_portrait.jpg").read_bytes()
    card = make_card(decode_picture(portrait), tmp_path, population)
    assert set(known) == before | {card.number}
    record = known[card.number]
    assert record.portrait is not None
    assert record.portrait.is_file()
    with Image.open(card.front) as made, Image.open(SPECIMENS / "tour" / "front.jpg") as template:
        assert made.size == template.size
    forget_card(card, population)
    assert set(known) == before
    assert not record.portrait.exists()
    assert not card.front.exists()
    assert not card.preview.exists()


def test_the_camera_knows_where_the_card_lies_in_every_picture_and_shows_another_sim_each_time() -> None:
    files = files_of(None, 0)
    assert all(path.is_file() for path in files.values())
    for name, path in files.items():
        if name != "clip":
            left, top, right, bottom = boxes()[name]
            with Image.open(path) as picture:
                assert 0 <= left < right <= picture.width
                assert 0 <= top < bottom <= picture.height
    assert len({files_of(None, shown)["sim"] for shown in range(20)}) == 6


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut"])
def test_what_is_no_frame_of_a_camera_makes_no_card(content: bytes) -> None:
    with pytest.raises(BadInput, match="TOUR_PICTURE_UNUSABLE"):
        decode_picture(content)


def test_a_picture_too_small_for_a_face_makes_no_card() -> None:
    tiny = io.BytesIO()
    Image.new("RGB", (64, 64)).save(tiny, "JPEG")
    with pytest.raises(BadInput, match="TOUR_PICTURE_UNUSABLE"):
        decode_picture(tiny.getvalue())


def test_a_population_that_became_unreadable_stays_as_it_was(tmp_path: Path) -> None:
    population = copy_population(tmp_path)
    known = PopulationFile(population)
    before = set(known)
    population.write_text("{", encoding="utf-8")
    assert set(known) == before
