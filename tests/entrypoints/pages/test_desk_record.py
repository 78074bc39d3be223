"""Rules, ledger and who looked, at the desk; over real HTTP, without script."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from shiming.entrypoints.pages.desk.checkpoint_chain import read_blocks
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.signed_notes import NoteSignature, NoteSigner, SignedNote, parse_note
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.rules.witnessing import CosignaturesKept
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.store.ledger_tree import insert_batch
from shiming.privacy.use_cases.cosignatures import keep_cosignatures
from shiming.privacy.use_cases.proving import latest_checkpoint
from shiming.privacy.use_cases.verifying import verify_ledger
from tests.entrypoints.pages.desk_builders import SUBJECT
from tests.entrypoints.pages.desk_site import WITNESS, Desk


@pytest.mark.parametrize("pack", ["cn", "pk", "mx"])
def test_rules_are_read_with_source_and_mark_a_section_at_a_time(desk: Desk, pack: str) -> None:
    page = desk.get("auditor", f"/desk/packs/{pack}")
    assert page.status_code == 200
    assert 'class="rule-source"' in page.text
    assert len(page.content) < 100_000
    assert desk.get("auditor", f"/desk/packs/{pack}?q=no+such+rule&section=99").status_code == 200
    assert "YYYY-MM-DD" in desk.get("auditor", f"/desk/packs/{pack}?on=yesterday").text


def test_no_address_opens_a_folder_as_rules(desk: Desk) -> None:
    assert desk.get("auditor", "/desk/packs/common").status_code == 404
    assert desk.get("auditor", "/desk/packs/..%2Fcommon").status_code in {404, 422}


def test_scenarios_run_now_and_say_what_came_out(desk: Desk) -> None:
    page = desk.get("auditor", "/desk/packs/pk/scenarios").text
    assert re.search(r"All \d+ scenarios came out as stated", page)
    assert "as stated" in page


def test_two_packs_are_compared(desk: Desk) -> None:
    found = desk.get("auditor", "/desk/packs/-/differences?before=cn&after=pk").text
    assert re.search(r"\d+ differences", found)
    assert (
        "The rules are the same." in desk.get("auditor", "/desk/packs/-/differences?before=cn&after=cn").text
    )
    today = date.today().isoformat()  # noqa: DTZ011 - as a person types it
    assert desk.get("auditor", f"/desk/packs/-/differences?before=x&after=y&on={today}").status_code == 200


def test_the_chain_is_drawn_and_told_in_a_table(desk: Desk) -> None:
    page = desk.get("auditor", "/desk/ledger").text
    assert page.count('class="chain-block"') == 3
    assert "chain-broken" not in page
    assert page.count("follows the one before") == 3
    assert "Batch 3" not in desk.get("auditor", "/desk/ledger?before=3").text


def test_a_checkpoint_that_nobody_signed_or_that_follows_nothing_is_shown_as_broken(desk: Desk) -> None:
    platform = desk.world.platform
    with reading(platform.engine) as connection:
        assert not any(block.is_signed for block in read_blocks(connection, ())), "of no known key"
    with platform.engine.connect() as connection:  # it is never committed
        root = bytes(32)
        insert_batch(
            connection,
            batch=99,
            first_index=999,
            size=1000,
            root=root,
            previous_root=root,
            sealed_at=desk.world.now,
            checkpoint="forged",
        )
        seen = read_blocks(connection, platform.ledger_keys)
    assert [(block.is_linked, block.is_signed) for block in seen[-2:]] == [(True, True), (False, False)]


def test_who_witnessed_a_checkpoint_is_checked_where_their_key_is_known(desk: Desk) -> None:
    platform, now = desk.world.platform, desk.world.now
    known, stranger, liar = (
        NoteSigner(name, Ed25519Signer.from_seed(bytes([place]) * 32))
        for place, name in enumerate(("w.example", "stranger.example", "liar.example"))
    )
    root = bytes(32)
    note = parse_note(platform.ledger_signer.sign(f"{platform.ledger_signer.name}\n1000\nroot\n"))
    for signer in (known, stranger):
        note = signer.cosign(note, now)
    forged = NoteSignature(liar.name, liar.cosigning_key.key_id, bytes(72))
    note = SignedNote(note.text, (*note.signatures, forged))
    with platform.engine.connect() as connection:  # it is never committed
        checkpoint = str(note)
        insert_batch(
            connection, batch=99, first_index=999, size=1000, root=root, previous_root=root,
            sealed_at=now, checkpoint=checkpoint,
        )  # fmt: skip
        keys = (known.cosigning_key, liar.cosigning_key)
        (*_, seen) = read_blocks(connection, platform.ledger_keys, witnesses=keys)
    assert seen.witnessed is not None
    assert seen.witnessed.en == (
        "w.example (verified), stranger.example (not verified), liar.example (wrong signature)"
    )
    assert seen.holding == 1


def test_what_a_witness_gave_back_is_drawn_as_verified(desk: Desk) -> None:
    platform, now = desk.world.platform, desk.world.now
    with unit_of_work(platform.engine) as connection:
        newest = latest_checkpoint(connection)
        assert newest is not None
        kept = keep_cosignatures(
            connection,
            platform.keys,
            str(WITNESS.cosign(parse_note(newest.note), now)),
            log_keys=platform.ledger_keys,
            witnesses=platform.witness_keys,
            by="",
            now=now,
        )
    assert kept == CosignaturesKept(newest.size, (WITNESS.name,), ())
    page = desk.get("auditor", "/desk/ledger").text
    assert page.count(f"{WITNESS.name} (verified)") >= 1
    assert "The ledger is whole." in desk.post("auditor", "/desk/ledger/verification").text


def test_the_ledger_is_verified_without_script_and_while_one_watches(desk: Desk) -> None:
    plain = desk.post("auditor", "/desk/ledger/verification")
    assert "The ledger is whole." in plain.text
    events = desk.get("auditor", "/desk/ledger/verification/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    assert events.text.rstrip().rpartition("event: ")[2].startswith("result")
    assert "The ledger is whole." in events.text
    assert desk.post("clerk", "/desk/ledger/verification").status_code == 403
    assert desk.get("clerk", "/desk/ledger/verification/events").status_code == 403
    platform = desk.world.platform
    assert verify_ledger(platform.engine, platform.keys, platform.ledger_keys)


@pytest.mark.parametrize(
    ("leaf", "said"),
    [
        ("{first}", "The leaf is in the tree."),
        ("99-1", "The ledger has no such leaf."),
        ("nonsense", "This names no leaf of the ledger."),
        ("{first}:" + "0" * 64, "leaf"),
    ],
)
def test_a_leaf_is_proven_or_it_is_said_why_not(desk: Desk, leaf: str, said: str) -> None:
    with reading(desk.world.platform.engine) as connection:
        first = connection.execute(
            sa.select(ledger_leaves.c.lane, ledger_leaves.c.sequence).order_by(ledger_leaves.c.sequence)
        ).first()
    assert first
    named = leaf.format(first=f"{first.lane}-{first.sequence}")
    page = desk.get("auditor", f"/desk/ledger?leaf={named}").text
    assert said in page
    assert ("The path to the root" in page) == (leaf == "{first}")


def test_who_looked_is_shown_to_who_may_see_it(desk: Desk) -> None:
    page = desk.get("privacy", f"/desk/access-log?subject={SUBJECT}").text
    assert "EVD-0082-0C20-A1G7-D" in page
    assert "dispute" in page
    assert "This is no pseudonym." in desk.get("privacy", "/desk/access-log?subject=a b c!").text
    assert f"subject={SUBJECT}" in page.replace("&amp;", "&"), "links of the table keep the person"
    assert desk.get("compliance", f"/desk/access-log?subject={SUBJECT}").status_code == 403
