"""What an operator can set, from environment variables and from flags.

One rule: ``SETTINGS`` is the whole list. The environment, the flags, every refusal and the table in
``docs/reference/settings.md`` are read off it, so a setting that is not there does not exist.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from rollbook.addresses import is_address
from rollbook.errors import SettingRefused
from rollbook.journal_settings import JOURNAL_SETTINGS
from rollbook.limit_settings import LIMIT_SETTINGS
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.observing_settings import OBSERVING_SETTINGS, LogFormat, LogLevel
from rollbook.security_settings import SECURITY_SETTINGS
from rollbook.setting_values import (
    LOOPBACK_NAMES,
    AllowedNetworks,
    AnonymousRoles,
    Authorities,
    HostNames,
    JournalTarget,
    MaybeDirectory,
    OnOff,
    OptionalFile,
    Origins,
    SecretFile,
    Security,
    Setting,
    TrustedNetworks,
    allowed_networks,
    authorities,
    directory,
    host_name,
    one_of,
    status,
    whole_number,
)

Schema: TypeAlias = Literal["default", "lenient"]
Clock: TypeAlias = Literal["check", "trust"]
Bodies: TypeAlias = Literal["plain", "packed"]
Flag: TypeAlias = str | int | Path | None


class Settings(Struct, frozen=True):
    """How one process runs. Nothing here changes while it does."""

    host: str = "127.0.0.1"
    port: int = 3000
    data: Path = Path("data")
    journal: JournalTarget = JournalTarget()
    journal_seconds: int = 5
    schema: Schema = "default"
    bodies: Bodies = "plain"
    unreachable_status: str = "unreachable"
    live_status: str = "live"
    stop_seconds: int = 30
    history_days: int = 90
    history_changes: int = 1_000_000
    history_bytes: int = 4 * 1024 * 1024 * 1024
    backup_dir: MaybeDirectory = MaybeDirectory()
    backup_every: int = 24 * 60 * 60
    backup_keep: int = 7
    webhooks_private: AllowedNetworks = AllowedNetworks()
    webhooks_ca: Authorities = Authorities()
    hosts: HostNames = HostNames()
    trusted_proxies: TrustedNetworks = TrustedNetworks()
    log_level: LogLevel = "info"
    log_format: LogFormat = "text"
    access_log: OnOff = OnOff(False)
    slow_ms: int = 0
    clock: Clock = "check"
    admin_token_file: SecretFile = SecretFile()
    anonymous: AnonymousRoles = AnonymousRoles()
    security: Security = "enforce"
    caller_requests_per_second: int = 0
    caller_watches_max: int = 0
    tls_cert: OptionalFile = OptionalFile()
    tls_key: OptionalFile = OptionalFile()
    tls_client_ca: OptionalFile = OptionalFile()
    security_file: OptionalFile = OptionalFile()
    origins: Origins = Origins()
    limits: Limits = DEFAULT_LIMITS

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can connect."""
        if self.host.lower() in LOOPBACK_NAMES:
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def _check_tls(chosen: Mapping[str, Any]) -> None:
    """Refuses a part of what TLS needs."""
    files = {name: chosen.get(name, OptionalFile()).file for name in ("tls_cert", "tls_key", "tls_client_ca")}
    if (files["tls_cert"] is None) != (files["tls_key"] is None):
        raise SettingRefused("TLS needs both a certificate and its key: set ROLLBOOK_TLS_CERT and ROLLBOOK_TLS_KEY")
    if files["tls_client_ca"] is not None and files["tls_cert"] is None:
        raise SettingRefused("ROLLBOOK_TLS_CLIENT_CA needs TLS: set ROLLBOOK_TLS_CERT and ROLLBOOK_TLS_KEY too")


def default_of(setting: Setting) -> object:
    """What holds when the variable of a setting is unset or empty."""
    return getattr(DEFAULT_LIMITS if is_limit(setting) else Settings(), setting.name)


def is_limit(setting: Setting) -> bool:
    """Whether a setting fills a field of Limits."""
    return setting.name in LIMIT_NAMES


def settings_from(environment: Mapping[str, str], **flags: Flag) -> Settings:
    """The settings that an environment and flags (by the names of Settings' fields) make; a flag wins.

    An empty variable and a flag of None are as good as none at all. Refuses (SettingRefused) a value that can't be,
    naming the variable or the flag that has it.
    """
    chosen: dict[str, Any] = {}
    for setting in SETTINGS:
        flag = flags.pop(setting.name, None)
        text = environment.get(setting.variable, "").strip() if flag is None else str(flag)
        if setting.may_be_empty and not text and setting.variable in environment:
            chosen[setting.name] = ""
        elif text or flag is not None:
            source = setting.variable if flag is None else f"--{setting.name.replace('_', '-')}"
            chosen[setting.name] = _parsed(setting, text, source)
    if flags:
        raise TypeError(f"not a setting: {', '.join(flags)}")
    _check_statuses(chosen)
    _check_tls(chosen)
    limits = Limits(**{name: chosen.pop(name) for name in LIMIT_NAMES & chosen.keys()})
    return Settings(**chosen, limits=limits)


def _check_statuses(chosen: Mapping[str, Any]) -> None:
    """Refuses one status for two meanings: a silent cluster could not be distinguished from a live one."""
    live, unreachable = chosen.get("live_status", "live"), chosen.get("unreachable_status", "unreachable")
    if unreachable in (live, "registered"):
        raise SettingRefused(
            f"ROLLBOOK_UNREACHABLE_STATUS can't be {unreachable!r}, which is the status of clusters that are not "
            "unreachable: choose another word"
        )


def misspelt_variables(environment: Iterable[str]) -> dict[str, str]:
    """Variables that look like a setting's but are none, each with the name that was probably meant."""
    known = [setting.variable for setting in SETTINGS]
    strangers = (name for name in environment if name.startswith("ROLLBOOK_") and name not in known)
    guesses = {name: get_close_matches(name, known, n=1, cutoff=0.85) for name in strangers}
    return {name: guess[0] for name, guess in guesses.items() if guess}


def _parsed(setting: Setting, text: str, source: str) -> object:
    try:
        return setting.parse(text)
    except ValueError as error:
        hides = setting.name == "journal" or is_address(text)  # which may hold a password
        shown = "what it is" if hides else repr(text)
        raise SettingRefused(f"{source} must be {error}, not {shown}") from None


LIMIT_NAMES = frozenset(Limits.__struct_fields__)

SETTINGS = (
    Setting(
        "host",
        "ROLLBOOK_HOST",
        host_name,
        "The interface to listen on. On any but a loopback one [it must be known who may ask](../guides/securing.md).",
    ),
    Setting("port", "PORT", whole_number(0, 65_535), "The TCP port to listen on; 0 takes a free one."),
    Setting("data", "ROLLBOOK_DATA", directory, "The directory that holds the registry; made when it is not there."),
    *JOURNAL_SETTINGS,
    Setting("schema", "ROLLBOOK_SCHEMA", one_of(Schema), "`lenient` asks of a document only its `id` and right types."),
    Setting(
        "bodies",
        "ROLLBOOK_BODIES",
        one_of(Bodies),
        "`packed` holds documents in memory compressed: in about a tenth of their size, and each read takes longer.",
    ),
    Setting(
        "unreachable_status",
        "ROLLBOOK_UNREACHABLE_STATUS",
        status,
        "The `status` that is written for a cluster whose heartbeats have stopped.",
    ),
    Setting(
        "live_status",
        "ROLLBOOK_LIVE_STATUS",
        status,
        "The `status` that a heartbeat writes for a cluster that is `registered`. Set to nothing, none is written.",
        may_be_empty=True,
    ),
    Setting(
        "stop_seconds",
        "ROLLBOOK_STOP_SECONDS",
        whole_number(0, 3_600),
        "How long a stopping server waits for the requests that are under way, in seconds. What still "
        "computes after 2 s is ended.",
    ),
    Setting(
        "clock",
        "ROLLBOOK_CLOCK",
        one_of(Clock),
        "`trust` believes the system's clock at this start, however far it is ahead of the time that was last known.",
    ),
    Setting(
        "webhooks_private",
        "ROLLBOOK_WEBHOOKS_PRIVATE",
        allowed_networks,
        "Whether webhooks may reach addresses that are not public: `refuse`, `allow`, or networks (`10.0.0.0/8,...`).",
    ),
    Setting(
        "webhooks_ca",
        "ROLLBOOK_WEBHOOKS_CA",
        authorities,
        "A PEM file of the certificate authorities that HTTPS targets of webhooks are verified by; `system`: those of "
        "the system, or in `SSL_CERT_FILE`.",
    ),
    *SECURITY_SETTINGS,
    *OBSERVING_SETTINGS,
    *LIMIT_SETTINGS,
)
