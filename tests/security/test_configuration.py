"""The security file: what it may say, and where a wrong one is wrong."""

import pytest

from rollbook.errors import SettingRefused
from rollbook.security.configuration import Configuration, parse_configuration
from rollbook.security.limits import CallerLimits
from rollbook.security.roles import SECRET_PATHS

WHOLE = b"""
trusted_proxies = ["10.0.0.0/8", "fd00::/8"]
secret_paths = ["config.joinCommand", "tags"]

[limits]
requests_per_second = 100
watches_max = 8
[limits.roles.legacy]
requests_per_second = 5.5
[limits.roles.live-reader]
watches_max = 0

[roles.live-reader]
description = "Reads live clusters."
[[roles.live-reader.rules]]
verbs = ["read", "watch"]
filter = { status = "live", "gpus.count" = { "$gte" = 8 } }
hide = ["$secrets"]
"""


def test_an_empty_file_says_nothing() -> None:
    assert parse_configuration(b"") == Configuration(secrets=SECRET_PATHS)


def test_a_file_says_what_stands_in_it() -> None:
    said = parse_configuration(WHOLE)
    assert [str(network) for network in said.proxies.networks] == ["10.0.0.0/8", "fd00::/8"]
    assert said.secrets == (("config", "joinCommand"), ("tags",))
    assert said.limits == CallerLimits(100, 8)
    assert said.limits_of_roles == {"legacy": CallerLimits(5.5), "live-reader": CallerLimits(None, 0)}
    role = said.roles["live-reader"]
    assert (role.in_file, role.built_in, role.description) == (True, False, "Reads live clusters.")
    assert role.rules[0].filter == {"status": "live", "gpus.count": {"$gte": 8}}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("x = 1\ny = ?", "line 2"),
        ("secrets = []", "`secrets`"),
        ("trusted_proxies = ['10.0.0.1/8']", "`trusted_proxies[0]`"),
        ("trusted_proxies = '10.0.0.0/8'", "`trusted_proxies`"),
        ("secret_paths = ['id']", "`secret_paths[0]`"),
        ("secret_paths = ['tags', '$where']", "`secret_paths[1]`"),
        ("secret_paths = ['']", "`secret_paths[0]`"),
        ("limits.requests_per_second = 0", "`limits.requests_per_second`"),
        ("limits.watches_max = -1", "`limits.watches_max`"),
        ("limits.watches_max = 1.5", "`limits.watches_max`"),
        ("limits.watches = 1", "`watches`"),
        ("limits.roles.redaer = {}", "'redaer'"),
        ("roles.reader.rules = [{verbs = ['read']}]", "built in"),
        ("roles.x = {}", "`roles[...]`"),
        ("roles.X.rules = [{verbs = ['read']}]", "`roles.X`"),
        ("roles.x.rules = []", "`roles.x.rules`"),
        ("roles.x.rules = [{verbs = ['red']}]", "`roles.x.rules.0.verbs.0`"),
        ("roles.x.rules = [{verbs = ['read'], filter = {'$bad' = 1}}]", "`roles.x.rules.0.filter"),
        ("roles.x.rules = [{verbs = ['read'], filter = {a = 1979-05-27}}]", "`roles.x`"),
        ("roles.x.rules = [{verbs = ['read'], filter = {a = nan}}]", "`roles.x`"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_of_its_problem(text: str, where: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        parse_configuration(text.encode())
    assert where in refused.value.message


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(SettingRefused):
        parse_configuration(b"\xff\xfe = 1")
