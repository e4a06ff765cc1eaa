"""The settings that say who may ask, and from where."""

from rollbook.setting_values import (
    Security,
    Setting,
    anonymous_roles,
    host_names,
    one_of,
    secret_file,
    trusted_networks,
)

SECURITY_SETTINGS = (
    Setting(
        "hosts",
        "ROLLBOOK_HOSTS",
        host_names,
        "The names under which clients reach the registry, comma-separated. On a loopback interface, and wherever "
        "names are listed, a request whose `Host` is neither one of them nor `localhost` nor an IP address is refused.",
    ),
    Setting(
        "trusted_proxies",
        "ROLLBOOK_TRUSTED_PROXIES",
        trusted_networks,
        "The networks of proxies whose `Forwarded` and `X-Forwarded-For` are believed, comma-separated.",
    ),
    Setting(
        "admin_token_file",
        "ROLLBOOK_ADMIN_TOKEN_FILE",
        secret_file,
        "A file with a token, at least 32 characters, that may do everything. It is read at start; with it, requests "
        "without a token are refused.",
    ),
    Setting(
        "anonymous",
        "ROLLBOOK_ANONYMOUS",
        anonymous_roles,
        "The roles of callers who send no token, by their networks: `legacy@10.0.0.0/8,reader@0.0.0.0/0`. With it, "
        "other callers need a token.",
    ),
    Setting(
        "security",
        "ROLLBOOK_SECURITY",
        one_of(Security),
        "`observe` lets every request pass, and logs what would be refused; only tokens, roles and the audit log stay "
        "closed.",
    ),
)
