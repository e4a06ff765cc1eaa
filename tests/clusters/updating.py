"""An update as the registry carries it out: cast, parsed, applied, accepted."""

import copy
from typing import Any

from rollbook.clusters.acceptance import Accepted, SchemaRules, accept_update
from rollbook.clusters.casting import cast_update
from rollbook.language.updates import compile_update, parse_update, touched_paths

DEFAULT, LENIENT = SchemaRules(), SchemaRules(mode="lenient")
STRICT = DEFAULT.with_unknown_fields("strict")


def updated(before: dict[str, Any], json: dict[str, Any], rules: SchemaRules = DEFAULT) -> Accepted:
    """What an update makes of a document, which stays what it was."""
    untouched = copy.deepcopy(before)
    update = parse_update(cast_update(json))
    accepted = accept_update(before, compile_update(update)(before), touched=touched_paths(update), rules=rules)
    assert before == untouched
    return accepted
