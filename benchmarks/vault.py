"""How fast the vault encrypts and stores, and how much memory a long clip takes.

The reference does by hand, with the same durability, what cannot be left out: AES-256-GCM over the whole
content, a SHA-256 of the ciphertext, one new file written, synced, renamed and its folder synced. The vault
does the same in frames, derives a key for the object, and binds it to id, operator and subject.
`whole_put_ratio` compares a whole `put_evidence` - data key, row, ledger leaf and commit on SQLite - with the
reference plus one committed row of SQLite.

The clip of 50 MB is put and read in a process of its own (Linux); what it adds to the resident memory of that
process at the highest point counts.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.report import KIBIBYTE, report
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.object_store import ObjectStore
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import (
    AccessRequest,
    EvidenceKind,
    EvidenceStream,
    NewEvidence,
    Purpose,
    RetentionClass,
)
from shiming.privacy.use_cases.objects import store_object
from shiming.privacy.use_cases.vault import open_evidence, put_evidence, put_evidence_stream
from shiming.vocabulary.reference_numbers import ALPHABET
from tests.privacy.builders import NOW, Vault, a_vault

PIECE_BYTES = 200_000
ROUNDS = 150
CLIP_BYTES = 50_000_000
SPEED_GOAL = 0.5
MEMORY_GOAL_MB = 80.0
RETENTION = policy_on(read_pack("cn"), NOW.date()).retention


def store_raw(folder: Path, content: bytes, number: int) -> None:
    """Encrypt, hash and write durably, without anything else."""
    nonce = os.urandom(12)
    ciphertext = nonce + AESGCM(os.urandom(32)).encrypt(nonce, content, b"object")
    hashlib.sha256(ciphertext).hexdigest()
    draft = folder / f".{number}.part"
    with draft.open("wb") as file:
        file.write(ciphertext)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / str(number))
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def insert_raw(database: sqlite3.Connection, number: int) -> None:
    """Commit one row as durably as the product's database does."""
    database.execute("INSERT INTO evidence VALUES (?, ?)", (number, "0" * 400))
    database.commit()


def seconds(act: Callable[[], object]) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def put(vault: Vault, number: int, content: bytes) -> None:
    """Put one piece as the product does, in a transaction of its own."""
    with unit_of_work(vault.engine) as connection:
        put_evidence(
            vault.tools,
            connection,
            subject=vault.subject(),
            case_reference=f"SES-{number}",
            kind=EvidenceKind.PORTRAIT,
            purpose=Purpose.REGISTRATION,
            retention_class=RetentionClass.PORTRAIT,
            content=content,
            retention=RETENTION,
            now=NOW,
        )


def speed(folder: Path) -> dict[str, float]:
    """Alternate the four, so that a slow moment of the disk meets all of them; return median milliseconds."""
    vault, content = a_vault(folder), os.urandom(PIECE_BYTES)
    raw = folder / "raw"
    raw.mkdir()
    vault.settings.objects_folder.mkdir()
    for pair in product(ALPHABET, repeat=2):  # as after the first thousand objects of an installation
        (vault.settings.objects_folder / "".join(pair)).mkdir()
    database = sqlite3.connect(folder / "raw.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE evidence (id INTEGER PRIMARY KEY, facts TEXT)")
    new = NewEvidence(
        vault.subject(), "SES-1", EvidenceKind.PORTRAIT, Purpose.REGISTRATION, RetentionClass.PORTRAIT
    )
    key = os.urandom(32)
    times: dict[str, list[float]] = {"raw": [], "row": [], "object": [], "put": []}
    for number in range(ROUNDS):
        times["raw"].append(seconds(partial(store_raw, raw, content, number)))
        times["object"].append(
            seconds(
                lambda: store_object(vault.tools, new, "KEY-1", key, (content,), retain_until=None, now=NOW)
            )
        )
        times["row"].append(seconds(partial(insert_raw, database, number)))
        times["put"].append(seconds(partial(put, vault, number, content)))
    database.close()
    vault.engine.dispose()
    return {name: 1000 * median(taken) for name, taken in times.items()}


class Zeroes:
    """A clip that is nowhere in memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int, /) -> bytes:
        """Return the next piece."""
        taken = min(size, self._left)
        self._left -= taken
        return bytes(taken)


class Peak:
    """What an act adds to the resident memory of this process at its highest point, in MB."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Linux: the peak starts anew
        self._before = self._status("VmRSS")

    def extra_mb(self) -> float:
        """Return what was added since."""
        return self._status("VmHWM") - self._before

    @staticmethod
    def _status(name: str) -> float:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * KIBIBYTE / 1e6


def clip(folder: Path, objects: ObjectStore | None = None) -> dict[str, float]:
    """Put and read one clip; return the memory that each added at the highest point, and the speed."""
    vault = a_vault(folder)
    if objects is not None:
        vault = replace(vault, tools=replace(vault.tools, objects=objects))
    put(vault, 0, b"x" * PIECE_BYTES)  # everything is imported and warm
    new = NewEvidence(vault.subject(), "SES-1", EvidenceKind.CLIP, Purpose.REGISTRATION, RetentionClass.CLIP)
    request = AccessRequest("STF-1", Purpose.DISPUTE, "DSP-1")
    peak, started = Peak(), time.perf_counter()
    with unit_of_work(vault.engine) as connection:
        source = Zeroes(CLIP_BYTES)
        ref = put_evidence_stream(
            vault.tools,
            connection,
            new,
            source=source,
            retention=RETENTION,
            now=NOW,
        )
    put_extra_mb, stored, peak = peak.extra_mb(), time.perf_counter(), Peak()
    with unit_of_work(vault.engine) as connection:
        found = open_evidence(vault.tools, connection, ref.evidence_id, request, now=NOW)
    if not isinstance(found, EvidenceStream) or sum(len(chunk) for chunk in found.chunks) != CLIP_BYTES:
        raise SystemExit(1)
    done = time.perf_counter()
    vault.engine.dispose()
    return {
        "put_extra_mb": put_extra_mb,
        "read_extra_mb": peak.extra_mb(),
        "put_mb_per_s": CLIP_BYTES / 1e6 / (stored - started),
        "read_mb_per_s": CLIP_BYTES / 1e6 / (done - stored),
    }


def main() -> None:
    """Measure speed here and memory in a process of its own."""
    if "--clip" in sys.argv:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(clip(Path(folder))))
        return
    with tempfile.TemporaryDirectory() as folder:
        taken = speed(Path(folder))
    command = [sys.executable, "-m", "benchmarks.vault", "--clip"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    memory: dict[str, float] = json.loads(ran.stdout)
    extra = max(memory["put_extra_mb"], memory["read_extra_mb"])
    speed_ratio = taken["raw"] / taken["object"]
    report(
        "vault",
        min(speed_ratio / SPEED_GOAL, MEMORY_GOAL_MB / max(extra, 1.0)),
        1.0,
        "at_least",
        goals={"store_ratio": SPEED_GOAL, "clip_extra_mb_max": MEMORY_GOAL_MB},
        store_ratio=round(speed_ratio, 3),
        raw_ms=round(taken["raw"], 3),
        vault_ms=round(taken["object"], 3),
        whole_put_ms=round(taken["put"], 3),
        whole_put_ratio=round((taken["raw"] + taken["row"]) / taken["put"], 3),
        **{f"clip_{name}": round(value, 1) for name, value in memory.items()},
    )


if __name__ == "__main__":
    main()
