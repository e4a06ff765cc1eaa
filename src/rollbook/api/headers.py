"""The headers of requests and answers that mean something here, one row each.

One rule: a header that an answer may carry is in the row of its operation, or among those of every answer.
"""

from rollbook.api.declarations import Header
from rollbook.registry.history.moments import REVISION_MAX

REVISION_NUMBER = {"type": "integer", "minimum": 0, "maximum": REVISION_MAX}
TAG = {"type": "string", "pattern": '^"\\d+(-[a-z]+)?"$'}

IF_MATCH = Header("If-Match", "write only if the document is still at this revision; 412 otherwise", '"12"')
IF_NONE_MATCH = Header("If-None-Match", "304 without a body if the document is still at this revision", '"12"')
REASON = Header(
    "X-Reason",
    "why, for the history of the cluster; percent-encoded UTF-8, or plain text; at most 500 characters",
    "moved to another rack",
)
ACCEPT = Header(
    "Accept", "`application/x-ndjson`: a document or an event a line, instead of an array", "application/x-ndjson"
)
ACCEPT_HTML = Header("Accept", "`text/html`: a page instead of JSON", "text/html")
LAST_EVENT_ID = Header("Last-Event-ID", "begin after this revision; it goes before `since`", "12")

IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "a text of the client's own: sent again within 24 hours with the same request, it is done once and answered alike",
    "6f1c1e0e-6b0b-4d6e-8f39-0a4f1f6f9f0e",
)
IDEMPOTENCY_REPLAYED = Header(
    "Idempotency-Replayed", "`true`: the write was done before, with the same `Idempotency-Key`", "true"
)

ETAG = Header("ETag", "the revision of the cluster in the answer", '"12"', TAG)
VARY = Header("Vary", "the request headers that the representation depends on", "accept-encoding")
WARNING = Header(
    "Warning",
    "what is odd about a document that was accepted, or a path of a filter that no schema and no cluster has",
    '299 rollbook "..."',
)
LOCATION = Header(
    "Location", "the address of what was created", "/clusters/west", {"type": "string", "format": "uri-reference"}
)
LINK = Header(
    "Link",
    "the address of the next page, when there is more; of pages of clusters, also that of the first",
    '</clusters?limit=100&cursor=...>; rel="next", </clusters?limit=100>; rel="first"',
)
TOTAL = Header("X-Total-Count", "how many clusters match, on all pages together", "12", {"type": "integer"})
COMPACTED = Header("X-Registry-Compacted", "changes up to this revision are no longer kept", "0", REVISION_NUMBER)
CACHE_CONTROL = Header("Cache-Control", "how long the answer may be kept; `no-store`: not at all", "no-store")
CONTENT_DISPOSITION = Header(
    "Content-Disposition", "the name that a file has", 'attachment; filename="rollbook-r12.backup"'
)
SET_COOKIE = Header(
    "Set-Cookie",
    "the cookie of a session: `HttpOnly`, `SameSite=Strict`, and by HTTPS `__Host-` and `Secure`",
    "__Host-rollbook=...; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure",
)
NO_BUFFERING = Header("X-Accel-Buffering", "`no`: a proxy passes events on at once", "no")
CONTENT_SECURITY_POLICY = Header(
    "Content-Security-Policy", "what a browser may load for the page: its own styles", "default-src 'none'"
)
NO_SNIFF = Header("X-Content-Type-Options", "`nosniff`: the page is what its media type says", "nosniff")
NO_REFERRER = Header("Referrer-Policy", "`no-referrer`: no other site learns the page's address", "no-referrer")
FILE_TAG = Header("ETag", "the content of the file and its encoding", '"5d41402abc4b2a76b971-zstd"')
ALLOW = Header("Allow", "of a 405, and of OPTIONS: the methods of this address", "GET, HEAD, OPTIONS")
RETRY_AFTER = Header("Retry-After", "of a 429 or 503: after how many seconds to try again", "1", {"type": "integer"})
ACCEPT_PATCH = Header("Accept-Patch", "of a 415 of a PATCH: the media types of patches", "application/merge-patch+json")
CONNECTION = Header("Connection", "`close` after a body that was not read to its end", "close")

WWW_AUTHENTICATE = Header("WWW-Authenticate", "of a 401: how a caller says who it is", "Bearer")

REVISION = Header(
    "X-Registry-Revision",
    "the newest revision that the answer has seen: an integer that only grows",
    "12",
    REVISION_NUMBER,
)
AGE = Header(
    "Age",
    "while a process can't hear the engine of its [shared journal](../guides/running-many.md): how old, in seconds, "
    "what it knows is",
    "3",
    {"type": "integer"},
)
REQUEST_ID = Header(
    "X-Request-Id",
    "the id that the client sent, at most 128 letters, digits and `._~:/+=@-`; or one made for the request, except on "
    "the quickest answers",
    "3f9c2a1b7d4e-00002a",
)
CONTENT_ENCODING = Header(
    "Content-Encoding",
    "`zstd` or `gzip`, where `Accept-Encoding` names it and the answer has 16 KB or more; its `ETag` then says so: "
    '`"12-zstd"`',
    "zstd",
)

RATE_LIMIT_POLICY = Header(
    "RateLimit-Policy",
    "of callers with a rate, except on the quickest answers: how many requests (`q`) they may send in `w` seconds",
    '"requests";q=10;w=1',
)
RATE_LIMIT = Header(
    "RateLimit",
    "with `RateLimit-Policy`: how many requests remain (`r`), and after how many seconds (`t`) there are all again",
    '"requests";r=9;t=1',
)

OF_EVERY_ANSWER = (REVISION, AGE, REQUEST_ID, CONTENT_ENCODING, VARY, RATE_LIMIT_POLICY, RATE_LIMIT)
OF_REFUSALS = (ALLOW, RETRY_AFTER, CONNECTION, WWW_AUTHENTICATE, ACCEPT_PATCH)
OF_CORS = frozenset(
    {
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
    }
)
"""Those for pages of the origins in ``ROLLBOOK_ORIGINS``."""
OF_HTTP = frozenset({"content-length", "content-type", "date", "transfer-encoding"})
"""Those of HTTP itself, which need no row."""
