"""What every refusal of the language owes to who reads it."""

from rollbook.errors import LanguageRefused


def explained(refusal: LanguageRefused) -> LanguageRefused:
    """The refusal; sees to it that it says where, and why in words of its own and not in those of its class."""
    assert isinstance(refusal.at, str)
    assert refusal.message != type(refusal)().message
    assert "None" not in refusal.message  # JSON has null
    return refusal
