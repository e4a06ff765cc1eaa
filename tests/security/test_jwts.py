"""JSON Web Tokens: which are believed, whatever an attacker writes into them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from rollbook.errors import RegistryError, RequestRefused
from rollbook.security.issuers import Issuer, KeySource
from rollbook.security.jwts import read_token, verified_claims
from rollbook.security.key_sets import KeySet, parse_key_set
from tests.issuing import AUDIENCE, TestIssuer


@pytest.fixture(scope="module")
def issuing() -> Iterator[TestIssuer]:
    with TestIssuer() as running:
        yield running


def believed(issuing: TestIssuer, token: str, *, now: float | None = None) -> bool:
    """Whether the issuer's tokens are believed, by the usual algorithms."""
    issuer = Issuer("test", issuing.url, (AUDIENCE,), (), KeySource())
    keys = parse_key_set(json.dumps(issuing.key_set).encode())
    read = read_token(token)
    return read is not None and verified_claims(read, issuer, keys, now=now or time.time()) is not None


def encoded(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_a_token_of_the_issuer_is_believed_within_its_time_and_some_seconds(issuing: TestIssuer) -> None:
    token = issuing.token(exp=1_000, iat=900, nbf=900)
    assert [believed(issuing, token, now=now) for now in (869, 870, 1_029, 1_030)] == [False, True, True, False]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": "other"},
        {"aud": []},
        {"aud": ["other", None]},
        {"aud": {"rollbook": 1}},
        {"aud": "rollbook2"},
        {"iss": None},
        {"iss": "https://evil.example"},
        {"iss": ["x"]},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": -1},
        {"exp": 1e300},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"nbf": "0"},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 257},
    ],
)
def test_claims_that_are_wrong_are_not_believed(issuing: TestIssuer, claims: dict[str, object]) -> None:
    assert not believed(issuing, issuing.token(**claims))


def test_an_audience_may_be_one_of_several(issuing: TestIssuer) -> None:
    assert believed(issuing, issuing.token(aud=["other", AUDIENCE]))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", "RS384", "dir", 1])
def test_the_header_does_not_choose_the_algorithm(issuing: TestIssuer, algorithm: object) -> None:
    _, claims, signature = issuing.token().split(".")
    header = encoded({"alg": algorithm, "kid": "first"})
    assert not believed(issuing, f"{header}.{claims}.{signature}")
    assert not believed(issuing, f"{header}.{claims}.")


def test_the_public_key_is_no_shared_secret(issuing: TestIssuer) -> None:
    _, claims, _ = issuing.token().split(".")
    key = issuing.keys["first"]
    for secret in (
        key.as_pem(private=False),
        key.as_der(private=False),
        json.dumps(key.as_dict(private=False)).encode(),
    ):
        signed = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{claims}"
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert not believed(issuing, f"{signed}.{encoded(signature)}")


def test_keys_and_addresses_in_the_header_are_not_looked_at(issuing: TestIssuer) -> None:
    own = RSAKey.generate_key(2048, {"kid": "first"})
    claims = {"iss": issuing.url, "aud": AUDIENCE, "sub": "evil", "exp": time.time() + 60}
    before = issuing.fetches
    for more in ({"jwk": own.as_dict(private=False)}, {"jku": issuing.url + "/evil"}, {"x5u": issuing.url + "/evil"}):
        token = jwt.encode({"alg": "RS256", "kid": "first", **more}, claims, own)
        assert not believed(issuing, token)
    assert issuing.fetches == before


@pytest.mark.parametrize("header", [{"kid": "second"}, {"kid": None}, {"kid": ["first"]}, {"crit": ["exp"], "exp": 1}])
def test_headers_that_ask_for_what_is_not_there_are_not_believed(
    issuing: TestIssuer, header: dict[str, object]
) -> None:
    _, claims, signature = issuing.token().split(".")
    assert not believed(issuing, f"{encoded({'alg': 'RS256', 'kid': 'first', **header})}.{claims}.{signature}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), letter=st.sampled_from("ABab01-_."))
def test_a_token_with_one_other_character_is_not_believed(issuing: TestIssuer, place: int, letter: str) -> None:
    token = issuing.token(exp=10_000, iat=1)
    at = place % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    # The last character of a part may hold bits that stand for nothing.
    is_same = changed == token or at == len(token) - 1
    assert is_same or not believed(issuing, changed, now=5_000)


@settings(max_examples=200)
@given(st.text(max_size=200) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    read_token(text)


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_key_for_another_purpose_is_passed_over(issuing: TestIssuer) -> None:
    key = issuing.keys["first"].as_dict(private=False)
    weak = RSAKey.generate_key(1024, {"kid": "first"}).as_dict(private=False)
    for wrong in (
        {**key, "use": "enc"},
        {**key, "kty": "oct", "k": "c2VjcmV0"},
        {**key, "n": 1},
        weak,
        {"kty": "?"},
        7,
    ):
        with pytest.raises(RequestRefused):
            parse_key_set(json.dumps({"keys": [wrong]}).encode())
        assert len(parse_key_set(json.dumps({"keys": [wrong, key]}).encode()).keys) == 1
    other = parse_key_set(json.dumps({"keys": [{**key, "alg": "PS256"}]}).encode())
    assert not _is_believed_by(other, issuing)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b"\xff"])
def test_what_is_no_key_set_is_refused(text: bytes) -> None:
    with pytest.raises(RegistryError):
        parse_key_set(text)


def _is_believed_by(keys: KeySet, issuing: TestIssuer) -> bool:
    issuer = Issuer("test", issuing.url, (AUDIENCE,), (), KeySource(), ("RS256", "PS256"))
    read = read_token(issuing.token())
    assert read is not None
    return verified_claims(read, issuer, keys, now=time.time()) is not None
