"""All verbs of ``rollbook cluster``."""

from rollbook.cli.nouns import applying, editing, following
from rollbook.cli.nouns.clusters import app

__all__ = ["app", "applying", "editing", "following"]
