"""What witnesses signed comes back into the ledger: what is added, what is passed over, what is refused."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.signed_notes import (
    NoteKey,
    NoteSignature,
    NoteSigner,
    SignedNote,
    cosigned_at,
    is_signed,
    parse_note,
)
from shiming.privacy.model import LedgerBroken, LedgerFault, LedgerFinding, LedgerVerified
from shiming.privacy.rules.witnessing import CosignaturesKept
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases import cosignatures
from shiming.privacy.use_cases.proving import latest_checkpoint
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.vocabulary.errors import BadInput
from tests.privacy.ledger_desk import NOW, Ledger, a_log

WITNESSES = tuple(a_log(bytes([place]) * 32, f"w{place}.example") for place in range(1, 5))
KEYS = tuple(each.cosigning_key for each in WITNESSES)
ONE, TWO, THREE, _ = WITNESSES
EMPTY_SIGNATURE = bytes(72)  # eight bytes of time, and what nobody signed


@pytest.fixture
def ledger(database: Engine) -> Ledger:
    ledger = Ledger(database)
    ledger.append(3)
    ledger.seal()
    return ledger


def newest(ledger: Ledger) -> str:
    with reading(ledger.engine) as connection:
        found = latest_checkpoint(connection)
    assert found is not None
    return found.note


def cosigned(note: str, *witnesses: NoteSigner, hours: int = 0) -> str:
    parsed = parse_note(note)
    for witness in witnesses:
        parsed = witness.cosign(parsed, NOW + timedelta(hours=hours))
    return str(parsed)


def forged(note: str, witness: NoteSigner) -> str:
    parsed, key = parse_note(note), witness.cosigning_key
    return str(
        SignedNote(parsed.text, (*parsed.signatures, NoteSignature(key.name, key.key_id, EMPTY_SIGNATURE)))
    )


def keep(
    ledger: Ledger, note: str, known: tuple[NoteKey, ...] = KEYS, by: str = ""
) -> CosignaturesKept | LedgerBroken:
    with unit_of_work(ledger.engine) as connection:
        return keep_in(connection, ledger, note, known, by)


def keep_in(
    connection: Connection, ledger: Ledger, note: str, known: tuple[NoteKey, ...] = KEYS, by: str = ""
) -> CosignaturesKept | LedgerBroken:
    return cosignatures.keep_cosignatures(
        connection, ledger.keys, note, log_keys=(ledger.log.key,), witnesses=known, by=by, now=NOW
    )


def told(ledger: Ledger) -> list[dict[str, object]]:
    """Return the facts of the leaves that cosignatures left."""
    with reading(ledger.engine) as connection:
        leaves = connection.execute(sa.select(ledger_leaves.c.leaf).order_by(ledger_leaves.c.sequence))
        found = [json.loads(leaf) for leaf in leaves.scalars()]
    return [leaf["facts"] for leaf in found if leaf["kind"] == cosignatures.COSIGNED]


def test_a_signature_is_added_once_and_stays_when_others_come(ledger: Ledger) -> None:
    plain = newest(ledger)
    assert keep(ledger, cosigned(plain, ONE), by="CLT-1") == CosignaturesKept(3, (ONE.name,), ())
    assert keep(ledger, cosigned(plain, ONE)) == CosignaturesKept(3, (), (ONE.name,))
    assert keep(ledger, cosigned(plain, ONE, hours=1)) == CosignaturesKept(3, (), (ONE.name,))
    both = CosignaturesKept(3, (TWO.name,), ())
    assert keep(ledger, cosigned(plain, TWO)) == both  # a copy that the first never saw
    note = parse_note(newest(ledger))
    assert newest(ledger).startswith(plain)
    assert is_signed(note, ledger.log.key)
    assert [cosigned_at(note, key) for key in KEYS] == [NOW, NOW, None, None]
    assert [facts["by"] for facts in told(ledger)] == ["CLT-1", None]
    with reading(ledger.engine) as connection:
        events = connection.execute(sa.select(outbox.c.type, outbox.c.facts)).all()
    assert [event.type for event in events] == ["ledger.cosigned"] * 2
    assert "CLT-1" not in str(events)


def test_the_ledger_goes_on_under_a_checkpoint_that_was_cosigned(ledger: Ledger) -> None:
    first = newest(ledger)
    keep(ledger, cosigned(first, ONE))
    sealed = ledger.seal()
    assert (sealed.leaves, sealed.stopped) == (1, ())  # what the cosignature itself left
    keep(ledger, cosigned(first, TWO))  # an older checkpoint may be cosigned later
    assert ledger.findings() == []
    assert parse_note(newest(ledger)).text.split("\n")[1] == "4"


def test_strangers_and_wrong_signatures_are_passed_over_and_named(ledger: Ledger) -> None:
    plain, stranger = newest(ledger), a_log(b"s" * 32, "stranger.example")
    shown = forged(cosigned(plain, ONE, stranger), TWO)
    kept = CosignaturesKept(3, (ONE.name,), (), (stranger.name,), (TWO.name,))
    assert keep(ledger, shown) == kept
    assert newest(ledger) == cosigned(plain, ONE)
    other_key = a_log(b"o" * 32, TWO.name)  # a known name is not a known key
    with pytest.raises(BadInput, match="NO_KNOWN_WITNESS"):
        keep(ledger, cosigned(plain, other_key))


def without_root(note: str) -> str:
    lines = note.split("\n")
    return "\n".join((*lines[:2], "A" * 43 + "=", *lines[3:]))


REFUSED: list[tuple[str, Callable[[str], str]]] = [
    ("NOTE_FORMAT", lambda _: "no note"),
    ("NOTE_FORMAT", lambda note: note.rstrip("\n")),
    ("CHECKPOINT_FORMAT", lambda note: cosigned(note.replace("\n3\n", "\nthree\n"), ONE)),
    ("CHECKPOINT_ORIGIN_OTHER", lambda note: cosigned(note.replace("shiming/test", "other/log"), ONE)),
    ("CHECKPOINT_UNKNOWN", lambda note: cosigned(note.replace("\n3\n", "\n4\n"), ONE)),
    ("CHECKPOINT_UNKNOWN", lambda note: cosigned(note.replace("\n3\n", f"\n{'9' * 19}\n"), ONE)),
    ("CHECKPOINT_TREE_OTHER", lambda note: cosigned(without_root(note), ONE)),
    ("CHECKPOINT_TREE_OTHER", lambda note: cosigned(note.replace("\n\n", "\nextension\n\n"), ONE)),
    ("NO_KNOWN_WITNESS", lambda note: note),
    ("NO_KNOWN_WITNESS", lambda note: cosigned(note, a_log(b"s" * 32, "stranger.example"))),
    ("COSIGNATURE_WRONG", lambda note: forged(note, ONE)),
    ("COSIGNATURE_WRONG", lambda note: forged(cosigned(note, ONE), ONE)),
]


def test_what_is_refused_has_a_code_and_changes_nothing(ledger: Ledger) -> None:
    before = ledger.snapshot()
    for why, change in REFUSED:
        with pytest.raises(BadInput) as refused:
            keep(ledger, change(newest(ledger)))
        assert refused.value.code == why, why
        assert refused.value.text.zh
        assert refused.value.text.en.isascii()
    many = tuple(a_log(bytes([place]) * 32, f"{'w' * 20_000}{place}.example") for place in (1, 2))
    shown = cosigned(newest(ledger), *many)
    with pytest.raises(BadInput, match="COSIGNATURES_TOO_MANY"):
        keep(ledger, shown, tuple(each.cosigning_key for each in many))
    assert ledger.snapshot() == before


def test_a_checkpoint_that_was_tampered_with_takes_no_signature_and_is_found(ledger: Ledger) -> None:
    shown = cosigned(newest(ledger), TWO)
    untouched = ledger.snapshot()
    with unit_of_work(ledger.engine) as connection:  # no guard refuses one more line
        connection.execute(
            sa.text("UPDATE ledger_batches SET checkpoint = :note"), {"note": forged(newest(ledger), ONE)}
        )
    wrong = LedgerBroken((LedgerFinding("batch 1", LedgerFault.COSIGNATURE_WRONG),), 1)
    assert keep(ledger, shown) == wrong
    assert verify_ledger(ledger.engine, ledger.keys, (ledger.log.key,), witnesses=KEYS) == wrong
    assert isinstance(ledger.verify(), LedgerVerified), "of a witness that nobody knows, nothing is said"
    ledger.restore(untouched)
    ledger.tamper("UPDATE ledger_batches SET root = replace(root, '1', '2')")
    found = keep(ledger, shown)
    assert isinstance(found, LedgerBroken)
    assert found.why is LedgerFault.CHECKPOINT_FOREIGN


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(rounds=st.lists(st.sets(st.sampled_from(WITNESSES), min_size=1), min_size=1, max_size=5))
def test_in_whatever_order_they_come_none_is_lost_and_none_is_twice(
    ledger: Ledger, rounds: list[set[NoteSigner]]
) -> None:
    ledger.append()
    ledger.seal()  # a checkpoint of its own for each example
    plain, there = newest(ledger), set[str]()
    for witnesses in rounds:
        names = {each.name for each in witnesses}
        done = keep(ledger, cosigned(plain, *sorted(witnesses, key=lambda each: each.name)))
        assert isinstance(done, CosignaturesKept)
        assert (set(done.added), set(done.there_already)) == (names - there, names & there)
        there |= names
        lines = [line.name for line in parse_note(newest(ledger)).signatures]
        assert sorted(lines) == sorted({ledger.log.name, *there})
    note = parse_note(newest(ledger))
    assert {key.name for key in KEYS if cosigned_at(note, key) == NOW} == there
    assert is_signed(note, ledger.log.key)


def test_witnesses_that_come_at_one_moment_are_all_kept(ledger: Ledger) -> None:
    plain, together = newest(ledger), Barrier(len(WITNESSES), timeout=60)

    def come(witness: NoteSigner) -> CosignaturesKept | LedgerBroken:
        shown = cosigned(plain, witness)
        together.wait()
        return transact(ledger.engine, lambda connection: keep_in(connection, ledger, shown))

    with ThreadPoolExecutor(len(WITNESSES)) as pool:
        done = list(pool.map(come, WITNESSES))
    assert done == [CosignaturesKept(3, (witness.name,), ()) for witness in WITNESSES]
    note = parse_note(newest(ledger))
    assert [cosigned_at(note, key) for key in KEYS] == [NOW] * len(KEYS)
    assert ledger.findings() == []


def test_a_witness_named_twice_signs_once(ledger: Ledger) -> None:
    key = replace(ONE.cosigning_key)
    assert keep(ledger, cosigned(newest(ledger), ONE), (key, key)) == CosignaturesKept(3, (ONE.name,), ())
