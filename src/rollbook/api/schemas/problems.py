"""The JSON Schema of problems (RFC 9457), read off the tree of errors."""

from collections.abc import Iterator

from rollbook.api.declarations import Schema, array_of
from rollbook.api.schemas.messages import TEXT, object_of
from rollbook.errors import RegistryError


def tree(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    """A class of errors and everything below it."""
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


COMPONENTS: dict[str, Schema] = {
    "Problem": object_of(
        {
            "type": {"type": "string", "description": "`urn:rollbook:error:` and the code"},
            "title": {"type": "string", "description": "what the error is, in general"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "what it is this time, in words for a person"},
            "code": {"type": "string", "enum": sorted({kind.code for kind in tree(RegistryError)})},
            "error": {"type": "string", "description": "the same as `detail`, for older clients"},
            "errors": array_of(object_of({"at": TEXT, "problem": TEXT})),
            "mongoCode": {"type": "integer"},
            "mongoCodeName": TEXT,
            "success": {"const": False},
            "message": TEXT,
        },
        optional=("errors", "mongoCode", "mongoCodeName", "success", "message"),
        description="A refusal: what, where and why (RFC 9457).",
    ),
}
