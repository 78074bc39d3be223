import os
from pathlib import Path

import pytest

from shiming.infrastructure.settings import Settings, prepare_data_folder
from shiming.vocabulary.errors import BadInput, Unavailable


def test_defaults_are_private_and_speak_english() -> None:
    settings = Settings.from_environment({})
    assert settings.data_folder.is_absolute()
    assert settings.data_folder.name == "shiming"
    assert settings.database_url.endswith("shiming/shiming.db")
    assert (settings.sandbox, settings.language) == (False, "en")


def test_the_platforms_data_folder_can_be_moved() -> None:
    assert Settings.from_environment({"XDG_DATA_HOME": "/srv"}).data_folder == Path("/srv/shiming")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"SHIMING_LANGUAGE": "zh-CN"}, "zh"),
        ({"SHIMING_LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_asked_for_or_that_of_the_locale(environment: dict[str, str], language: str) -> None:
    assert Settings.from_environment(environment).language == language


def test_the_sandbox_must_be_asked_for_clearly() -> None:
    assert Settings.from_environment({"SHIMING_SANDBOX": "1"}).sandbox
    assert not Settings.from_environment({"SHIMING_SANDBOX": "off"}).sandbox


@pytest.mark.parametrize("environment", [{"SHIMING_SANDBOX": "perhaps"}, {"SHIMING_LANGUAGE": "tlh"}])
def test_a_value_that_cannot_be_meant_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadInput) as refused:
        Settings.from_environment(environment)
    assert refused.value.code == "SETTING_INVALID"


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings.from_environment({"SHIMING_DATA": str(tmp_path / "a" / "b")})
    folder = prepare_data_folder(settings)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert prepare_data_folder(settings) == folder


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_an_empty_folder_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare_data_folder(Settings.from_environment({"SHIMING_DATA": str(tmp_path)}))
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_data_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "shiming.db").touch()
    with pytest.raises(Unavailable) as refused:
        prepare_data_folder(Settings.from_environment({"SHIMING_DATA": str(tmp_path)}))
    assert refused.value.code == "DATA_FOLDER_EXPOSED"


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as refused:
        prepare_data_folder(Settings.from_environment({"SHIMING_DATA": str(tmp_path / "file")}))
    assert refused.value.code == "DATA_FOLDER_UNUSABLE"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHIMING_KEYS", "paper"),
        ("SHIMING_OPERATOR_NAMES", "China Mobile"),
        ("SHIMING_WEBHOOK_NETWORKS", "10.1.0.0/16 intranet"),
        ("SHIMING_PUBLIC_URL", "shop.example"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(name: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        Settings.from_environment({"SHIMING_DATA": "/srv/x", name: value})
    assert refused.value.code == "SETTING_INVALID"
    assert str(refused.value.details["setting"]).startswith(name[:12])


def test_operators_have_names() -> None:
    settings = Settings.from_environment({"SHIMING_OPERATOR_NAMES": "cn-mobile=中国移动; cn-x = X ;"})
    assert settings.operator_names == {"cn-mobile": "中国移动", "cn-x": "X"}


def test_networks_are_read() -> None:
    settings = Settings.from_environment({"SHIMING_WEBHOOK_NETWORKS": "10.1.0.0/16, fd00::/8"})
    assert [str(network) for network in settings.webhook_networks] == ["10.1.0.0/16", "fd00::/8"]
