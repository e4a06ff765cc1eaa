"""What every store of tokens and roles does. A body inherits these tests and says how it is opened."""

from rollbook.journal.memory.tokens import MemoryTokenStore
from rollbook.journal.store_transfers import copy_tokens
from rollbook.journal.token_store import RoleRow, TokenRow, TokenStore

CI = TokenRow("ci", 1, '{"name": "ci"}', b"d" * 32)
OPS = TokenRow("ops", 2, '{"name": "ops"}', b"e" * 32, b"f" * 32, 9, 10, 5)


class TokenStoreContract:
    """The fixture ``store`` gives an empty one."""

    def test_a_copy_has_the_same_tokens_and_roles_and_stays_closed(self, store: TokenStore) -> None:
        copy = MemoryTokenStore()
        copy.save_token(CI._replace(id="other"))
        store.save_token(OPS)
        store.save_token(CI)
        store.save_role(RoleRow("a", "{}"))
        assert copy_tokens(store, copy) == 2
        assert (copy.tokens(), copy.roles()) == ([CI, OPS], [RoleRow("a", "{}")])
        store.forget_token("ci")
        store.forget_token("ops")
        fresh = MemoryTokenStore()
        assert copy_tokens(store, fresh) == 0
        assert (fresh.tokens(), fresh.has_had_identities()) == ([], True)
        copy_tokens(copy, store)
        assert store.tokens() == [CI, OPS]

    def test_tokens_come_back_as_they_were_saved_in_order_of_creation(self, store: TokenStore) -> None:
        store.save_token(OPS)
        store.save_token(CI)
        assert store.tokens() == [CI, OPS]

    def test_a_token_takes_the_place_of_the_one_with_its_id(self, store: TokenStore) -> None:
        store.save_token(CI)
        store.save_token(CI._replace(digest=b"x" * 32, former_digest=CI.digest, former_until_ms=7))
        (kept,) = store.tokens()
        assert (kept.digest, kept.former_digest, kept.former_until_ms) == (b"x" * 32, CI.digest, 7)

    def test_a_forgotten_token_is_gone_once(self, store: TokenStore) -> None:
        store.save_token(CI)
        assert store.forget_token("ci")
        assert not store.forget_token("ci")
        assert store.tokens() == []

    def test_a_use_is_kept_and_brings_no_token_back(self, store: TokenStore) -> None:
        store.save_token(CI)
        store.keep_uses([("ci", 42), ("gone", 43)])
        assert store.tokens() == [CI._replace(last_used_at_ms=42)]

    def test_roles_come_back_by_name_and_are_replaced_and_forgotten(self, store: TokenStore) -> None:
        store.save_role(RoleRow("b", "{}"))
        store.save_role(RoleRow("a", "{}"))
        store.save_role(RoleRow("b", '{"description": ""}'))
        assert store.roles() == [RoleRow("a", "{}"), RoleRow("b", '{"description": ""}')]
        assert store.forget_role("a")
        assert not store.forget_role("a")

    def test_a_store_remembers_that_there_was_an_identity(self, store: TokenStore) -> None:
        assert not store.has_had_identities()
        store.save_role(RoleRow("a", "{}"))
        assert not store.has_had_identities()
        store.save_token(CI)
        store.forget_token("ci")
        assert store.has_had_identities()

    def test_closing_twice_is_harmless(self, store: TokenStore) -> None:
        store.close()
        store.close()
