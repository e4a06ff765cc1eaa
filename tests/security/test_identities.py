"""Identities: whose a secret is, from where, until when; and that a registry which had one stays closed."""

from collections.abc import Callable

from rollbook.documents.codec import encode_json
from rollbook.journal.memory.tokens import MemoryTokenStore
from rollbook.journal.token_store import RoleRow
from rollbook.security.configuration import Configuration, parse_configuration
from rollbook.security.holdings import Holdings, Policy, read_holdings
from rollbook.security.identities import Identities
from rollbook.security.issuers import TokenSubject
from rollbook.security.roles import VERBS, parse_role
from rollbook.security.sights import WHOLE
from rollbook.security.tokens import Token, digest_of, new_token, row_of, token_from

SECRET, FORMER = new_token("abcdefghij"), new_token("abcdefghij")
TOKEN = Token("abcdefghij", "ci", ("reader",), digest_of(SECRET), 1)


class Clock:
    now = 1_000

    def __call__(self) -> int:
        return self.now


def identities_with(token: Token, now_ms: Clock | None = None) -> Identities:
    store = MemoryTokenStore()
    store.save_token(row_of(token))
    return Identities(read_holdings(store), Policy(), now_ms=now_ms or Clock())


def test_a_token_survives_its_store() -> None:
    full = Token("abcdefghij", "ci", ("reader",), b"d", 1, ("west",), "ann", ("10.0.0.0/8",), 9, b"f", 8, 7, "ops")
    assert token_from(row_of(full)) == full


def test_who_has_the_secret_is_the_caller() -> None:
    caller = identities_with(TOKEN).recognised(SECRET, "10.0.0.5")
    assert caller is not None
    assert caller.name == "token:ci@10.0.0.5"
    assert caller.may("read")
    assert not caller.may("delete")


def test_another_secret_is_nobody_s() -> None:
    assert identities_with(TOKEN).recognised(FORMER, "10.0.0.5") is None


def test_a_token_holds_only_in_its_networks() -> None:
    token = Token("abcdefghij", "ci", ("reader",), digest_of(SECRET), 1, networks=("10.0.0.0/8",))
    identities = identities_with(token)
    assert identities.recognised(SECRET, "10.0.0.5") is not None
    assert identities.recognised(SECRET, "11.0.0.5") is None
    assert identities.recognised(SECRET, "unknown") is None


def test_a_token_ends_at_its_expiry_and_the_generation_goes_up_with_it() -> None:
    clock = Clock()
    token = Token("abcdefghij", "ci", ("reader",), digest_of(SECRET), 1, expires_at_ms=2_000)
    identities = identities_with(token, clock)
    before, clock.now = identities.generation, 1_999
    identities.look()
    assert (identities.generation, identities.recognised(SECRET, "::1") is not None) == (before, True)
    clock.now = 2_000
    identities.look()
    assert (identities.generation, identities.recognised(SECRET, "::1")) == (before + 1, None)


def test_a_former_secret_holds_until_its_grace_has_passed() -> None:
    clock = Clock()
    token = Token(
        "abcdefghij", "ci", ("reader",), digest_of(SECRET), 1, former_digest=digest_of(FORMER), former_until_ms=2_000
    )
    identities = identities_with(token, clock)
    assert identities.recognised(FORMER, "::1") is not None
    clock.now = 2_000
    assert identities.recognised(FORMER, "::1") is None
    assert identities.recognised(SECRET, "::1") is not None


def test_without_identities_everybody_may_and_after_the_first_nobody_without_one() -> None:
    store = MemoryTokenStore()
    identities = Identities(read_holdings(store), Policy(), now_ms=Clock())
    assert all(identities.anonymous("::1").may(verb) for verb in VERBS)
    store.save_token(row_of(TOKEN))
    store.forget_token(TOKEN.id)
    identities.enforce(read_holdings(store))
    assert not any(identities.anonymous("::1").may(verb) for verb in VERBS)


def test_the_token_of_the_settings_may_everything_and_closes_the_registry() -> None:
    identities = Identities(Holdings(), Policy(admin_token=SECRET), now_ms=Clock())
    caller = identities.recognised(SECRET, "::1")
    assert caller is not None
    assert caller.is_full
    assert not identities.anonymous("::1").may("read")


def test_a_change_gives_what_reading_all_again_gives() -> None:
    store = MemoryTokenStore()
    identities = Identities(read_holdings(store), Policy(), now_ms=Clock())
    other = Token("bbcdefghij", "far", ("mine",), digest_of(FORMER), 2, certificates=("far.example",))
    role = parse_role("mine", {"rules": [{"verbs": ["read"]}]})
    row = RoleRow("mine", encode_json(role.as_json()).decode())
    steps: list[tuple[Callable[[], object], Callable[[Holdings], Holdings]]] = [
        (lambda: store.save_role(row), lambda holdings: holdings.with_role(role)),
        (lambda: store.save_token(row_of(TOKEN)), lambda holdings: holdings.with_token(TOKEN)),
        (lambda: store.save_token(row_of(other)), lambda holdings: holdings.with_token(other)),
        (
            lambda: store.keep_uses([(TOKEN.id, 9), ("gone", 9)]),
            lambda holdings: holdings.used({TOKEN.id: 9, "gone": 9}),
        ),
        (lambda: store.forget_token(TOKEN.id), lambda holdings: holdings.without_token(TOKEN.id)),
        (lambda: store.forget_token("gone"), lambda holdings: holdings.without_token("gone")),
        (lambda: store.forget_role("mine"), lambda holdings: holdings.without_role("mine")),
    ]
    for keep, after in steps:
        before = identities.generation
        keep()
        identities.enforce(after(identities.holdings))
        assert identities.holdings == read_holdings(store)
        assert list(identities.holdings.tokens) == [row.id for row in store.tokens()]
        assert identities.generation > before
    assert identities.recognised(SECRET, "::1") is None
    assert identities.recognised(FORMER, "::1") is not None


def test_a_subject_of_an_issuer_keeps_the_roles_of_its_token_while_the_issuer_is_believed() -> None:
    file = """
        [[issuers]]
        name = "corp"
        issuer = "https://corp.example"
        audience = "rollbook"
        [[issuers.bindings]]
        filter = {}
        roles = ["owner"]
        owner = "team"
        [roles.extra]
        rules = [{ verbs = ["read"] }]
    """
    believing = parse_configuration(file.encode())
    identities = Identities(Holdings(), Policy(), believing, now_ms=Clock())
    key = TokenSubject("corp", "https://corp.example", "ann", ("reader", "extra"), {}, 9_000).key
    assert identities.access_of(key).may("explain")
    assert identities.access_of(key).sight("read") is WHOLE  # by its role of the security file
    identities.configure(Configuration(issuers=believing.issuers))
    assert identities.access_of(key).may("explain")
    assert identities.access_of(key).sight("read") is not WHOLE  # that role is gone
    identities.configure(Configuration())
    assert not any(identities.access_of(key).may(verb) for verb in VERBS)


def test_a_role_that_is_gone_allows_nothing() -> None:
    token = Token("abcdefghij", "ci", ("gone",), digest_of(SECRET), 1)
    caller = identities_with(token).recognised(SECRET, "::1")
    assert caller is not None
    assert not any(caller.may(verb) for verb in VERBS)
