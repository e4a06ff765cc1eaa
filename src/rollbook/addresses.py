"""Addresses in what people write: how one is known, and what of it is never shown.

One rule: a text that may be an address by mistake is treated as one.
"""

import re

ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.:-]+:/")
PASSWORD = re.compile(
    r"""([A-Za-z][A-Za-z0-9+.-]+:/{1,2}[^/:@\s"']*:)(?!\d+/)[^\s"']*(?=@)|([?&](?:ssl)?password=)[^&\s"']*"""
)
"""A password, and the address up to it; ``:3000/`` is a port."""


def is_address(text: str) -> bool:
    """Whether a text begins like a URL. A path becomes one without its slashes: the file system folds them."""
    return ADDRESS.match(text) is not None


def without_passwords(text: str) -> str:
    """The text, with ``***`` for each password of an address in it."""
    return PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", text)
