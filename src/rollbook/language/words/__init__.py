"""Filters in words: ``status = live and gpus.count >= 8`` is ``{"status": "live", "gpus.count": {"$gte": 8}}``.

``parse_words`` makes a filter's JSON of words, ``words_of`` makes words of JSON. The grammar stands in
``docs/reference/words.md``.
"""

from rollbook.language.words.parsing import parse_words
from rollbook.language.words.printing import words_of
from rollbook.language.words.vocabularies import PLAIN, Vocabulary

__all__ = ["PLAIN", "Vocabulary", "parse_words", "words_of"]
