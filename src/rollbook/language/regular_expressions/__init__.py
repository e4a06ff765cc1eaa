"""MongoDB's regular expressions (PCRE) on an engine whose time is linear in the text (RE2).

One rule: a pattern means what it means in MongoDB, or it is refused by name; it never silently means something else.
Used by filters (``$regex``, ``$jsonSchema``) and by expressions (``$regexMatch`` and its kin).
"""

from rollbook.language.regular_expressions.patterns import Match, Pattern, compile_pattern, problem_with_options

__all__ = ["Match", "Pattern", "compile_pattern", "problem_with_options"]
