"""Settings come from the environment and from flags, and a wrong one is refused by name."""

from pathlib import Path

import pytest

from rollbook.errors import SettingRefused
from rollbook.limits import Limits
from rollbook.settings import SETTINGS, Settings, default_of, misspelt_variables, settings_from


def test_nothing_set_means_the_defaults() -> None:
    assert settings_from({}) == Settings(host="127.0.0.1", port=3000, data=Path("data"), schema="default")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_an_empty_variable_is_as_good_as_none(setting) -> None:
    expected = Settings(live_status="") if setting.may_be_empty else Settings()
    assert settings_from({setting.variable: ""}) == expected
    assert settings_from({setting.variable: " "}) == expected


@pytest.mark.parametrize(
    "environment",
    [
        {"ROLLBOOK_UNREACHABLE_STATUS": "live"},
        {"ROLLBOOK_LIVE_STATUS": "up", "ROLLBOOK_UNREACHABLE_STATUS": "up"},
        {"ROLLBOOK_LIVE_STATUS": "unreachable"},
        {"ROLLBOOK_UNREACHABLE_STATUS": "registered"},
    ],
)
def test_a_silent_cluster_can_not_have_the_status_of_one_that_is_heard(environment) -> None:
    with pytest.raises(SettingRefused) as refused:
        settings_from(environment)
    assert "ROLLBOOK_UNREACHABLE_STATUS" in str(refused.value)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_each_default_is_a_value_that_could_be_set(setting) -> None:
    assert settings_from({setting.variable: str(default_of(setting))}) == Settings()


def test_the_environment_sets_every_kind_of_value(tmp_path) -> None:
    environment = {
        "PORT": "4000",
        "ROLLBOOK_HOST": "0.0.0.0",
        "ROLLBOOK_DATA": str(tmp_path),
        "ROLLBOOK_SCHEMA": "lenient",
        "ROLLBOOK_BODY_BYTES_MAX": "2048",
    }
    assert settings_from(environment) == Settings(
        host="0.0.0.0", port=4000, data=tmp_path, schema="lenient", limits=Limits(body_bytes_max=2048)
    )


def test_a_flag_wins_over_its_variable() -> None:
    assert settings_from({"PORT": "4000"}, port="5000", host=None).port == 5000
    assert settings_from({"PORT": "4000"}, port=None).port == 4000


def test_a_flag_is_heard_even_where_the_variable_is_wrong() -> None:
    assert settings_from({"PORT": "none"}, port=5000).port == 5000


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "http", "PORT must be an integer from 0 to 65535, not 'http'"),
        ("PORT", "65536", "PORT must be an integer from 0 to 65535, not '65536'"),
        ("PORT", "9" * 5000, "PORT must be an integer from 0 to 65535, not '999"),
        ("PORT", "-1", "PORT must be an integer from 0 to 65535, not '-1'"),
        ("PORT", "3_000", "PORT must be an integer from 0 to 65535, not '3_000'"),
        ("PORT", "٣", "PORT must be an integer from 0 to 65535, not '٣'"),
        ("ROLLBOOK_SCHEMA", "Lenient", "ROLLBOOK_SCHEMA must be default or lenient, not 'Lenient'"),
        ("ROLLBOOK_DATA", __file__, f"ROLLBOOK_DATA must be a directory, not {__file__!r}"),
        ("ROLLBOOK_BODY_BYTES_MAX", "1023", "must be an integer from 1024 to"),
        ("ROLLBOOK_MAX_TIME_MS", "1e3", "ROLLBOOK_MAX_TIME_MS must be an integer from 1 to"),
        ("ROLLBOOK_HOST", "http://localhost", "ROLLBOOK_HOST must be a host name or an IP address"),
    ],
)
def test_a_refused_setting_names_its_variable(variable, value, message) -> None:
    with pytest.raises(SettingRefused) as refused:
        settings_from({variable: value})
    assert message in str(refused.value)


def test_a_refused_flag_is_named_as_it_was_typed() -> None:
    with pytest.raises(SettingRefused, match="--port must be an integer"):
        settings_from({}, port=70_000)
    with pytest.raises(SettingRefused, match="--host must be a host name"):
        settings_from({}, host="")


def test_a_port_of_65535_is_a_port() -> None:
    assert settings_from({"PORT": "65535"}).port == 65_535


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_a_loopback_host_is_known(host) -> None:
    assert settings_from({}, host=host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "registry.example.org", "localhost.example.org"])
def test_any_other_host_is_not_loopback(host) -> None:
    assert not settings_from({}, host=host).is_loopback


def test_a_misspelt_variable_is_told_from_a_stranger() -> None:
    environment = ["ROLLBOOK_SHEMA", "ROLLBOOK_SCHEMA", "ROLLBOOK_SERVICE_HOST", "ROLLBOOK_PORT_3000_TCP", "HOME"]
    assert misspelt_variables(environment) == {"ROLLBOOK_SHEMA": "ROLLBOOK_SCHEMA"}


def test_a_flag_that_is_no_setting_is_a_bug() -> None:
    with pytest.raises(TypeError, match="colour"):
        settings_from({}, colour="red")


def test_a_password_of_the_journal_is_never_shown() -> None:
    for url in (
        "postgresql://me:secret@db/rollbook",
        "postgresql://me:a&secret@db/rollbook",
        "postgresql://me:a/b:secret@db/rollbook",
        "postgresql://db/rollbook?user=me&password=secret",
        "postgresql://db/rollbook?sslpassword=secret",
    ):
        settings = settings_from({"ROLLBOOK_JOURNAL": url})
        assert settings.journal.url == url
        assert "secret" not in str(settings.journal)
    with pytest.raises(SettingRefused) as refused:
        settings_from({"ROLLBOOK_JOURNAL": "mysql://me:secret@db/rollbook"})
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    "text", ["postgresql://db/rollbook", "mongodb://db/blocks", "http:/host", "jdbc:postgresql://db", " mysql://db"]
)
@pytest.mark.parametrize("variable", ["ROLLBOOK_DATA", "ROLLBOOK_BACKUP_DIR"])
def test_an_address_is_no_directory(variable: str, text: str) -> None:
    with pytest.raises(SettingRefused, match="ROLLBOOK_JOURNAL"):
        settings_from({variable: text})
