"""What every refusal of the language owes to who reads it."""

from rollbook.errors import LanguageRefused

UNEXPLAINED = [kind().message for kind in (LanguageRefused, *LanguageRefused.__subclasses__())]


def explained(refusal: LanguageRefused) -> LanguageRefused:
    """The refusal; sees to it that it says where, and why in words of its own and not in those of its class."""
    assert isinstance(refusal.at, str)
    assert not any(words in refusal.message for words in UNEXPLAINED)
    assert "None" not in refusal.message  # JSON has null
    return refusal
