"""The settings that say who may ask, and from where."""

from rollbook.setting_values import (
    Security,
    Setting,
    anonymous_roles,
    host_names,
    one_of,
    optional_file,
    origins,
    secret_file,
    trusted_networks,
    whole_number,
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
    Setting(
        "origins",
        "ROLLBOOK_ORIGINS",
        origins,
        "The origins of web pages that may ask, comma-separated, with a token in `Authorization`; never with cookies.",
    ),
    Setting(
        "security_file",
        "ROLLBOOK_SECURITY_FILE",
        optional_file,
        "A TOML file of roles, limits, secret paths, trusted proxies and issuers of tokens. It is read again when it "
        "changes; a wrong one is refused at start, and later it changes nothing.",
    ),
    Setting(
        "caller_requests_per_second",
        "ROLLBOOK_CALLER_REQUESTS_PER_SECOND",
        whole_number(0, 1_000_000),
        "How many requests a second one caller may send, where neither its token nor a role says; 0 is no limit. "
        "Callers without a token are counted by their address.",
    ),
    Setting(
        "caller_watches_max",
        "ROLLBOOK_CALLER_WATCHES_MAX",
        whole_number(0, 1_000_000),
        "How many watches one caller may have, where neither its token nor a role says; 0 is no limit but that of all.",
    ),
    Setting(
        "tls_cert",
        "ROLLBOOK_TLS_CERT",
        optional_file,
        "A PEM file of the server's certificate and those that lead to its authority: the registry is served over "
        "HTTPS. It is read again when it changes, and at SIGHUP.",
    ),
    Setting("tls_key", "ROLLBOOK_TLS_KEY", optional_file, "A PEM file of the key of that certificate, not encrypted."),
    Setting(
        "tls_client_ca",
        "ROLLBOOK_TLS_CLIENT_CA",
        optional_file,
        "A PEM file of the authorities of clients' certificates. A client whose certificate one of them has signed is "
        "the token that has one of its names (SAN) among its `certificates`.",
    ),
)
