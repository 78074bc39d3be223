import pytest

from shiming.infrastructure.encryption import InMemoryKeys, KeyUse, new_data_key, subject_pseudonym

KEYS = InMemoryKeys(
    {
        KeyUse.KEY_ENCRYPTION: {"kek1": b"k" * 32},
        KeyUse.PSEUDONYM: {"p1": b"p" * 32, "p2": b"q" * 32},
        KeyUse.LEDGER: {"l1": b"l" * 32},
    }
)


def test_keys_do_not_show_themselves() -> None:
    assert "kkkk" not in repr(KEYS)
    assert "b'" not in repr(KEYS.wrap(new_data_key()))


@pytest.mark.parametrize(
    "typed", ["11010519491231002X", "11010519491231002x", "110105 19491231 002X", "１１０１０５19491231002X"]
)
def test_a_person_has_one_pseudonym_however_the_number_is_written(typed: str) -> None:
    one = subject_pseudonym(KEYS, "cn_resident_number", "11010519491231002X")
    assert subject_pseudonym(KEYS, "cn_resident_number", typed) == one
    assert one.startswith("p2.")  # the present key
    assert typed not in one


def test_pseudonyms_differ_by_number_kind_and_key_and_older_ones_can_be_found() -> None:
    number = "E12345678"
    names = {
        subject_pseudonym(KEYS, "passport", number),
        subject_pseudonym(KEYS, "permit", number),
        subject_pseudonym(KEYS, "passport", "E12345679"),
        subject_pseudonym(KEYS, "passport", number, key_id="p1"),
    }
    assert len(names) == 4
