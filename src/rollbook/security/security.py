"""Security as the API sees it: who callers are, the accounts that they can have, and the log of what they did."""

from msgspec import Struct

from rollbook.security.accounts import Accounts
from rollbook.security.auditing import Auditor
from rollbook.security.identities import Identities
from rollbook.security.security_files import SecurityFile
from rollbook.security.sessions import Sessions


class Security(Struct, frozen=True):
    """The parts of one open registry's security. ``securing.open_security`` makes it, and closes it."""

    identities: Identities
    accounts: Accounts
    auditor: Auditor
    sessions: Sessions
    file: SecurityFile | None = None
