"""Moving to a new key-encryption key: while writers run, across a kill, by two runs at once, into a token."""

import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import SplitKeys, new_data_key
from shiming.infrastructure.hardware_keys import open_hardware_keys
from shiming.infrastructure.key_choice import add_key_encryption_key
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceKind,
    EvidenceRef,
    KekState,
    Purpose,
    RetentionClass,
)
from shiming.privacy.store.data_keys import count_by_kek, data_keys
from shiming.privacy.use_cases.erasure import erase_evidence, erasing
from shiming.privacy.use_cases.rotation import list_keks, require_keks, rotate_keks
from shiming.privacy.use_cases.vault import put_evidence, read_evidence
from shiming.vocabulary.errors import Unavailable
from tests.infrastructure import softhsm
from tests.privacy.builders import NOW, Vault, a_retention_policy

ROTATE = """
import sys
from pathlib import Path
from shiming.privacy.use_cases.rotation import rotate_keks
from tests.privacy.builders import NOW, a_vault
vault = a_vault(Path(sys.argv[1]), sys.argv[2])
rotate_keks(vault.tools, vault.engine, clock=lambda: NOW, batch=40,
            progress=lambda d, _: print(d, flush=True))
"""


def put(vault: Vault, case: str) -> EvidenceRef:
    with unit_of_work(vault.engine) as connection:
        return put_evidence(
            vault.tools,
            connection,
            subject=vault.subject(),
            case_reference=case,
            kind=EvidenceKind.PORTRAIT,
            purpose=Purpose.REGISTRATION,
            retention_class=RetentionClass.PORTRAIT,
            content=case.encode(),
            retention=a_retention_policy(),
            now=NOW,
        )


def is_readable(vault: Vault, ref: EvidenceRef) -> bool:
    request = AccessRequest("STF-1", Purpose.DISPUTE, "DSP-1")
    with unit_of_work(vault.engine) as connection:
        found = read_evidence(vault.tools, connection, ref.evidence_id, request, now=NOW)
    return isinstance(found, EvidenceContent) and found.content == ref.case_reference.encode()


def many_keys(vault: Vault, count: int) -> None:
    """Data keys without evidence: what rotation works on."""
    rows = []
    for number in range(count):
        wrapped = vault.keys.wrap(new_data_key())
        rows.append(
            {
                "data_key_id": f"KEY-{number:012}",
                "operator": "",
                "subject": vault.subject(),
                "purpose": "registration",
                "retention_class": "portrait",
                "case_reference": f"MANY-{number}",
                "kek_id": wrapped.kek_id,
                "wrapped": wrapped.wrapped,
                "created_at": NOW,
            }
        )
    with unit_of_work(vault.engine) as connection:
        connection.execute(data_keys.insert(), rows)


def counts(vault: Vault) -> dict[str, int]:
    with reading(vault.engine) as connection:
        return count_by_kek(connection)


def rotate(vault: Vault) -> int:
    return rotate_keks(vault.tools, vault.engine, clock=lambda: NOW)


def test_every_live_key_moves_and_everything_is_still_readable(vault: Vault) -> None:
    kept, erased = put(vault, "SES-1"), put(vault, "SES-2")
    with erasing(vault.tools, vault.engine) as connection:
        erase_evidence(vault.tools, connection, erased.evidence_id, why="test", actor="STF-1", now=NOW)
    assert add_key_encryption_key(vault.settings, vault.keys) == "kek2"
    later = put(vault, "SES-3")
    assert counts(vault) == {"kek1": 1, "kek2": 1}
    assert is_readable(vault, kept)  # the old key still opens
    seen: list[tuple[int, int]] = []
    done = rotate_keks(
        vault.tools, vault.engine, clock=lambda: NOW, progress=lambda done, left: seen.append((done, left))
    )
    assert (done, seen) == (1, [(1, 0)])
    assert rotate(vault) == 0
    with reading(vault.engine) as connection:
        require_keks(vault.tools, connection)
        assert list_keks(vault.tools, connection) == (
            KekState("kek1", present=False, known=True, data_keys=0),
            KekState("kek2", present=True, known=True, data_keys=2),
        )
    assert is_readable(vault, kept)
    assert is_readable(vault, later)
    assert not is_readable(vault, erased)


def test_a_killed_rotation_is_finished_by_the_next_while_writers_run(vault: Vault, tmp_path: Path) -> None:
    many_keys(vault, 1000)
    first = put(vault, "SES-first")
    assert add_key_encryption_key(vault.settings, vault.keys) == "kek2"
    url = vault.engine.url.render_as_string(hide_password=False)
    written: list[EvidenceRef] = []
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            written.append(put(vault, f"SES-{len(written)}"))
            stop.wait(0.01)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", ROTATE, str(tmp_path), url], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "40\n"  # one batch is committed, others are on their way
        process.kill()
        process.wait(10)
        process.stdout.close()
        left = counts(vault).get("kek1", 0)
        assert 0 < left < 1001
        assert rotate(vault) == left
    finally:
        stop.set()
        writer.join()
    assert counts(vault) == {"kek2": 1001 + len(written)}
    assert all(is_readable(vault, ref) for ref in (first, *written[:5], *written[-5:]))


def test_two_rotations_at_once_share_the_work(vault: Vault) -> None:
    many_keys(vault, 200)
    add_key_encryption_key(vault.settings, vault.keys)
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(rotate_keks, vault.tools, vault.engine, clock=lambda: NOW, batch=10) for _ in range(2)
        ]
    assert sum(run.result() for run in runs) == 200
    assert counts(vault) == {"kek2": 200}


def test_a_key_that_is_lost_is_named_and_nothing_is_changed(vault: Vault) -> None:
    ref = put(vault, "SES-1")
    with unit_of_work(vault.engine) as connection:
        connection.execute(data_keys.update().values(kek_id="kek0"))
    with pytest.raises(Unavailable) as refused:
        rotate(vault)
    assert (refused.value.code, refused.value.details) == ("KEY_UNKNOWN", {"key_id": "kek0"})
    with pytest.raises(Unavailable):
        is_readable(vault, ref)
    with reading(vault.engine) as connection:
        with pytest.raises(Unavailable):
            require_keks(vault.tools, connection)
        assert list_keks(vault.tools, connection)[0] == KekState("kek0", False, False, 1)  # noqa: FBT003


@pytest.mark.skipif(softhsm.MODULE is None or softhsm.TOOL is None, reason=softhsm.MISSING)
def test_an_installation_moves_into_a_token(vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = put(vault, "SES-1")
    label = f"shiming-{uuid.uuid4().hex[:16]}"
    token = open_hardware_keys(softhsm.a_token(tmp_path_factory.mktemp("softhsm"), label), label, softhsm.PIN)
    assert token.add_kek() == "hsm1"
    moved = replace(vault, tools=replace(vault.tools, keys=SplitKeys(token, vault.keys)))
    during = put(moved, "SES-2")
    assert counts(moved) == {"hsm1": 1, "kek1": 1}
    assert is_readable(moved, before)
    assert rotate(moved) == 1
    assert counts(moved) == {"hsm1": 2}
    assert is_readable(moved, before)
    assert is_readable(moved, during)
    with pytest.raises(Unavailable) as refused:
        is_readable(vault, before)  # the key file alone opens nothing any more
    assert refused.value.code == "KEY_UNKNOWN"
    token.close()
