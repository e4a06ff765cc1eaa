"""The only place that builds the parts of a registry's security and joins them.

One rule: what is begun here ends at the end of the block, in the opposite order.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from rollbook.errors import SettingRefused
from rollbook.journal.opening import open_shared_audit, open_shared_token_store, open_token_store
from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import SharedTokenStore, TokenStore
from rollbook.registry.following import follow_identities
from rollbook.registry.registry import Registry
from rollbook.registry.supervising import Recurring
from rollbook.security.accounts import Accounts
from rollbook.security.audit import BEGINNING
from rollbook.security.auditing import Auditor
from rollbook.security.configuration import Configuration
from rollbook.security.following import SharedIdentities
from rollbook.security.holdings import policy_from, read_holdings
from rollbook.security.identities import Identities
from rollbook.security.issuing import time_of
from rollbook.security.security import Security
from rollbook.security.security_files import LOOK_SECONDS, opened_file
from rollbook.security.sessions import SealedSessions, Sessions, SessionsInMemory
from rollbook.settings import Settings

TOKENS_LOOK_SECONDS = 0.1
TOKEN_USES_SECONDS = 60.0


@asynccontextmanager
async def open_security(settings: Settings, registry: Registry) -> AsyncIterator[Security]:
    """The security of the registry in ``settings.data``, which this process has open; closed at the end of the block.

    Refuses (SettingRefused) a security file that is wrong, and anonymous callers with a role that there is not.
    """
    async with AsyncExitStack() as undo:
        target, supervisor, unix_ms = settings.journal, registry.supervisor, registry.unix_ms
        shared = await _shared_store(undo, settings) if target.is_shared else None
        keep: StoreThread[TokenStore] = shared or await _own_store(undo, settings)
        file = await asyncio.to_thread(opened_file, settings.security_file.file)
        configuration = Configuration() if file is None else file.configuration
        identities = Identities(await keep(read_holdings), policy_from(settings), configuration, now_ms=unix_ms)
        if file is not None:
            look = partial(file.look, identities)
            rereading = Recurring(supervisor, "rollbook-security", look, seconds=LOOK_SECONDS)
            await undo.enter_async_context(rereading)
        accounts = Accounts(keep, identities, now_ms=unix_ms)
        undo.push_async_callback(accounts.keep_uses)
        keeping = Recurring(supervisor, "rollbook-tokens", accounts.keep_uses, seconds=TOKEN_USES_SECONDS)
        await undo.enter_async_context(keeping)
        sessions: Sessions = SessionsInMemory(now_ms=unix_ms)
        if shared is not None:
            sessions = await _shared_sessions(undo, registry, shared, identities)
        for role, _ in settings.anonymous.roles:
            if role not in identities.roles:
                raise SettingRefused(f"ROLLBOOK_ANONYMOUS names the role {role!r}, and there is no such role")
        log = open_shared_audit(target.url, beginning=BEGINNING) if target.is_shared else None
        auditor = Auditor(settings.data, now=lambda: str(time_of(unix_ms())), shared=log)
        undo.push_async_callback(auditor.close)
        yield Security(identities, accounts, auditor, sessions, file)


async def _own_store(undo: AsyncExitStack, settings: Settings) -> StoreThread[TokenStore]:
    keep = StoreThread(await asyncio.to_thread(open_token_store, settings.data), name="rollbook-tokens")
    undo.push_async_callback(asyncio.to_thread, keep.close)
    return keep


async def _shared_store(undo: AsyncExitStack, settings: Settings) -> StoreThread[SharedTokenStore]:
    keep = StoreThread(await asyncio.to_thread(open_shared_token_store, settings.journal.url), name="rollbook-tokens")
    undo.push_async_callback(asyncio.to_thread, keep.close)
    return keep


async def _shared_sessions(
    undo: AsyncExitStack, registry: Registry, keep: StoreThread[SharedTokenStore], identities: Identities
) -> SealedSessions:
    """The sessions of a registry that is several processes; what any of them changes of accounts is followed."""
    key = await keep(lambda store: store.sessions.key())
    sessions = SealedSessions(key, keep, now_ms=registry.unix_ms)
    sessions.enforce(await keep(lambda store: store.sessions.ended()))
    follow = partial(follow_identities, registry.follower, SharedIdentities(keep, identities, sessions))
    following = Recurring(registry.supervisor, "rollbook-shared-tokens", follow, seconds=TOKENS_LOOK_SECONDS)
    await undo.enter_async_context(following)
    return sessions
