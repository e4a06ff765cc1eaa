"""The operation that judges a document without writing anything, nor asking whether its id is free."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, reference
from rollbook.api.handlers.clusters import rules_of
from rollbook.api.handlers.parser import parse_spec
from rollbook.api.parameters import FIELD_VALIDATION
from rollbook.api.responses import JSON
from rollbook.clusters.acceptance import SchemaRules
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Value
from rollbook.errors import DocumentInvalid, IdRefused, Problem
from rollbook.limits import Limits
from rollbook.security.access import Access


class Verdict(Struct, frozen=True):
    """What is to be said of a document: the JSON that would be stored, or its problems; and its warnings."""

    body: bytes | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_json(self) -> bytes:
        """The answer."""
        problems: list[Value] = [{"at": each.at, "problem": each.problem} for each in self.problems]
        said = encode_json({"valid": self.body is not None, "problems": problems, "warnings": list(self.warnings)})
        return said[:-1] + b',"document":' + (self.body or b"null") + b"}"


async def validate(request: Request) -> Response:
    """Whether the document could be created, if its id were free."""
    verdict = await DOCUMENT.of(
        request, rules=rules_of(request), limits=registry_of(request).limits, access=caller_of(request).access
    )
    return Response(verdict.as_json(), 200, None, JSON)


def judge(body: Value, *, rules: SchemaRules, limits: Limits, access: Access) -> Verdict:
    """The verdict on a document, or on the specification of a Parser."""
    try:
        creation = parse_spec(body, rules=rules, limits=limits, access=access)
    except (DocumentInvalid, IdRefused) as refusal:
        return Verdict(None, refusal.problems or (Problem(refusal.at, refusal.message),))
    return Verdict(creation.body, (), creation.warnings)


DOCUMENT = Body(
    judge,
    reference("SpecEnvelope"),
    "a [document](documents.md), or the envelope of a Parser",
    {
        "id": "east",
        "config": {"publicHostname": "east.example.net"},
        "clusterMetadata": {"name": "East", "description": "An example", "owner": "Platform team"},
    },
)

OPERATIONS = (
    Operation(
        name="validateCluster",
        method="POST",
        path="/clusters/validate",
        handler=validate,
        tag="clusters",
        summary="Judge a document",
        verb="create",
        verb_instead="update",
        parameters=(FIELD_VALIDATION,),
        body=DOCUMENT,
        answers=(
            Answer(
                200,
                '`{"valid", "problems": [{"at", "problem"}], "warnings", "document"}`, the document as it would be',
                reference("Verdict"),
            ),
        ),
    ),
)
