"""One contract for every provider of keys."""

import base64
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shiming.infrastructure.encryption import (
    KeyProvider,
    KeyUse,
    SplitKeys,
    WrappedKey,
    new_data_key,
    subject_pseudonym,
)
from shiming.infrastructure.hardware_keys import HardwareKeys
from shiming.infrastructure.key_choice import add_key_encryption_key, key_provider_from
from shiming.infrastructure.settings import Settings, prepare_data_folder
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.infrastructure import softhsm

KINDS = [
    "file",
    "environment",
    pytest.param(
        "pkcs11",
        marks=pytest.mark.skipif(softhsm.MODULE is None or softhsm.TOOL is None, reason=softhsm.MISSING),
    ),
]


def encoded(fill: bytes) -> str:
    return base64.b64encode(fill * 32).decode()


@dataclass
class Installation:
    """Keys of one kind; `opened` is what a program that starts now sees."""

    environment: dict[str, str]

    @property
    def names(self) -> tuple[str, str]:
        """The first and the second key-encryption key."""
        return ("hsm1", "hsm2") if self.environment["SHIMING_KEYS"] == "pkcs11" else ("kek1", "kek2")

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    def opened(self) -> KeyProvider:
        return key_provider_from(self.settings, self.environment, may_create=True)

    def add_kek(self, keys: KeyProvider) -> str:
        if self.environment["SHIMING_KEYS"] == "environment":
            self.environment["SHIMING_KEK"] += f",kek2:{encoded(b'K')}"
            return "kek2"
        return add_key_encryption_key(self.settings, keys)


@pytest.fixture(params=KINDS)
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    environment = {"SHIMING_DATA": str(tmp_path / "data"), "SHIMING_KEYS": request.param}
    if request.param == "environment":
        environment["SHIMING_KEK"] = f"kek1:{encoded(b'k')}"
        environment["SHIMING_PSEUDONYM_KEY"] = f"p1:{encoded(b'p')}"
        environment["SHIMING_LEDGER_KEY"] = f"l1:{encoded(b'l')}"
    if request.param == "pkcs11":
        label = f"shiming-{uuid.uuid4().hex[:16]}"
        module = softhsm.a_token(tmp_path_factory.mktemp("softhsm"), label)
        environment["SHIMING_PKCS11_MODULE"] = str(module)
        environment["SHIMING_PKCS11_TOKEN"] = label
        environment["SHIMING_PKCS11_PIN"] = softhsm.PIN
    installation = Installation(environment)
    prepare_data_folder(installation.settings)
    if request.param == "pkcs11":
        keys = installation.opened()
        assert installation.add_kek(keys) == "hsm1"
        closed(keys)
    return installation


def closed(keys: KeyProvider) -> None:
    if isinstance(keys, SplitKeys) and isinstance(keys.keks, HardwareKeys):
        keys.keks.close()


@pytest.fixture
def keys(installation: Installation) -> Iterator[KeyProvider]:
    opened = installation.opened()
    yield opened
    closed(opened)


def test_a_data_key_is_wrapped_and_comes_back(installation: Installation, keys: KeyProvider) -> None:
    data_key = new_data_key()
    wrapped = keys.wrap(data_key)
    assert wrapped.kek_id == keys.kek_ids()[-1] == installation.names[0]
    assert data_key not in wrapped.wrapped
    assert keys.unwrap(wrapped) == data_key


def test_a_program_that_starts_later_opens_it(installation: Installation, keys: KeyProvider) -> None:
    wrapped = keys.wrap(data_key := new_data_key())
    closed(keys)
    again = installation.opened()
    assert again.unwrap(wrapped) == data_key
    closed(again)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w[:-1] + bytes([w[-1] ^ 1]),
        lambda w: w[::-1],
        lambda _: b"",
        lambda w: w + b"x",
        lambda w: w[:24],
    ],
    ids=["flipped", "reversed", "empty", "longer", "shorter"],
)
def test_an_altered_one_is_refused(keys: KeyProvider, change: Callable[[bytes], bytes]) -> None:
    wrapped = keys.wrap(new_data_key())
    with pytest.raises(Unavailable) as refused:
        keys.unwrap(WrappedKey(wrapped.kek_id, change(wrapped.wrapped)))
    assert refused.value.code == "EVIDENCE_UNDECRYPTABLE"


def test_an_unknown_key_is_named(keys: KeyProvider) -> None:
    with pytest.raises(Unavailable) as refused:
        keys.unwrap(WrappedKey("kek9", keys.wrap(new_data_key()).wrapped))
    assert refused.value.code == "KEY_UNKNOWN"
    assert refused.value.details == {"key_id": "kek9"}


def test_a_new_kek_wraps_and_the_old_one_still_opens(installation: Installation, keys: KeyProvider) -> None:
    before = keys.wrap(old_key := new_data_key())
    first, second = installation.names
    assert installation.add_kek(keys) == second
    if installation.environment["SHIMING_KEYS"] == "environment":
        assert keys.kek_ids() == (first,)  # until the next start
        keys = installation.opened()
    assert keys.kek_ids()[-2:] == (first, second)
    after = keys.wrap(new_key := new_data_key())
    assert after.kek_id == second
    assert keys.unwrap(before) == old_key
    assert keys.unwrap(after) == new_key


def test_pseudonyms_and_ledger_codes_stay_the_same(installation: Installation, keys: KeyProvider) -> None:
    name = subject_pseudonym(keys, "cn_resident_number", "11010519491231002X")
    code = keys.mac(KeyUse.LEDGER, b"leaf")
    assert keys.mac(KeyUse.LEDGER, b"leaf", code.key_id) == code
    assert keys.mac(KeyUse.LEDGER, b"other") != code
    installation.add_kek(keys)
    assert subject_pseudonym(keys, "cn_resident_number", "11010519491231002X") == name
    with pytest.raises(Unavailable) as refused:
        keys.mac(KeyUse.LEDGER, b"leaf", "l9")
    assert refused.value.code == "KEY_UNKNOWN"


def test_keys_do_not_show_themselves(installation: Installation, keys: KeyProvider) -> None:
    shown = repr(keys)
    assert installation.names[0] in shown
    assert "b'" not in shown
    assert not any(
        part.split(":")[1] in shown
        for part in installation.environment.get("SHIMING_KEK", "").split(",")
        if part
    )


ENVIRONMENT = {
    "SHIMING_KEK": f"kek1:{encoded(b'k')}",
    "SHIMING_PSEUDONYM_KEY": f"p1:{encoded(b'p')}",
    "SHIMING_LEDGER_KEY": f"l1:{encoded(b'l')}",
    "SHIMING_KEYS": "environment",
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SHIMING_KEK": ""}, "KEY_ENVIRONMENT_MISSING"),
        ({"SHIMING_LEDGER_KEY": " "}, "KEY_ENVIRONMENT_MISSING"),
        ({"SHIMING_KEK": encoded(b"k")}, "KEY_ENVIRONMENT_INVALID"),
        ({"SHIMING_KEK": "kek1:AAAA"}, "KEY_ENVIRONMENT_INVALID"),
        ({"SHIMING_KEK": "kek1:not base64!"}, "KEY_ENVIRONMENT_INVALID"),
        ({"SHIMING_KEK": f"kek1:{encoded(b'k')},kek1:{encoded(b'K')}"}, "KEY_ENVIRONMENT_INVALID"),
        ({"SHIMING_KEK": f"kek1:{encoded(b'k')},"}, "KEY_ENVIRONMENT_INVALID"),
    ],
)
def test_wrong_variables_are_named_and_not_shown(tmp_path: Path, change: dict[str, str], code: str) -> None:
    environment = {**ENVIRONMENT, "SHIMING_DATA": str(tmp_path), **change}
    with pytest.raises(Unavailable) as refused:
        key_provider_from(Settings.from_environment(environment), environment, may_create=True)
    assert refused.value.code == code
    assert refused.value.details["variable"] in change
    assert encoded(b"k") not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_keys_of_the_environment_are_added_by_whoever_keeps_them(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "SHIMING_DATA": str(tmp_path)}
    settings = Settings.from_environment(environment)
    with pytest.raises(BadInput) as refused:
        add_key_encryption_key(settings, key_provider_from(settings, environment, may_create=False))
    assert refused.value.code == "KEK_NOT_OURS"


@pytest.mark.skipif(softhsm.MODULE is None or softhsm.TOOL is None, reason=softhsm.MISSING)
def test_a_token_that_cannot_be_opened_says_why(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    label = f"shiming-{uuid.uuid4().hex[:16]}"
    module = softhsm.a_token(tmp_path_factory.mktemp("softhsm"), label)
    good = {
        "SHIMING_DATA": str(tmp_path),
        "SHIMING_KEYS": "pkcs11",
        "SHIMING_PKCS11_MODULE": str(module),
        "SHIMING_PKCS11_TOKEN": label,
        "SHIMING_PKCS11_PIN": softhsm.PIN,
    }
    for change, code in (
        ({"SHIMING_PKCS11_PIN": "0000"}, "HARDWARE_PIN"),
        ({"SHIMING_PKCS11_PIN_FILE": str(tmp_path / "gone")}, "HARDWARE_PIN"),
        ({"SHIMING_PKCS11_TOKEN": "another"}, "HARDWARE_KEYS_UNAVAILABLE"),
        ({"SHIMING_PKCS11_MODULE": str(tmp_path / "gone.so")}, "HARDWARE_MODULE_MISSING"),
        ({"SHIMING_PKCS11_MODULE": ""}, "SETTING_INVALID"),
    ):
        environment = {**good, **change}
        with pytest.raises((Unavailable, BadInput)) as refused:
            key_provider_from(Settings.from_environment(environment), environment, may_create=True)
        assert refused.value.code == code
        assert softhsm.PIN not in str(refused.value)
    empty = key_provider_from(Settings.from_environment(good), good, may_create=True)
    with pytest.raises(Unavailable) as refused:
        empty.wrap(new_data_key())
    assert refused.value.code == "HARDWARE_KEY_MISSING"
    closed(empty)
    pin_file = tmp_path / "pin"
    pin_file.write_text(f"{softhsm.PIN}\n")
    environment = {**good, "SHIMING_PKCS11_PIN": "", "SHIMING_PKCS11_PIN_FILE": str(pin_file)}
    closed(key_provider_from(Settings.from_environment(environment), environment, may_create=True))
