"""The operations that the network's Parser and search server speak: envelopes in, ``{"success": ...}`` out."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, reference
from rollbook.api.handlers.clusters import rules_of
from rollbook.api.parameters import DRY_RUN, FIELD_VALIDATION
from rollbook.api.problems import problem
from rollbook.api.writing import DRY_RUN_ANSWER, write
from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.onboarding import nodes_to_add_in, search_values_in, search_without_code_in, values_in
from rollbook.documents.values import Value
from rollbook.errors import RegistryError
from rollbook.limits import Limits
from rollbook.registry.reading.requests import Query, parse_creation, parse_search_request
from rollbook.registry.writing.commands import Create
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import joining
from rollbook.security.access import Access


async def create_from_spec(request: Request) -> Response:
    """Create the cluster of a Parser envelope, or of a bare document."""
    registry = registry_of(request)
    command = await SPEC.of(request, rules=rules_of(request), limits=registry.limits, access=caller_of(request).access)
    return await write(request, command, _succeeded)


async def add_node(request: Request) -> Response:
    """Nodes join a cluster; the answer is the cluster, as that of ``create_from_spec``."""
    registry, asked = registry_of(request), await NODES.of(request)
    edit = joining(asked.nodes, at=asked.places.__getitem__)
    command = EditNodes(asked.cluster_id, edit, rules_of(request), limits=registry.limits)
    return await write(request, command, lambda result: _succeeded(result, ignored=asked.ignored))


async def filter_with_envelope(request: Request) -> Response:
    """The clusters that a search in the Parser's envelope finds."""
    return await _found(request, await ENVELOPE.of(request, limits=registry_of(request).limits))


async def search_with_envelope(request: Request) -> Response:
    """The clusters that a search in the Parser's envelope finds, in order of creation."""
    return await _found(request, await RANKED.of(request, limits=registry_of(request).limits))


async def filter_without_envelope(request: Request) -> Response:
    """The clusters that a search finds."""
    return await _found(request, await SEARCH.of(request, limits=registry_of(request).limits))


def refused(refusal: RegistryError) -> Response:
    """A problem that also says ``"success": false`` and ``"message"``."""
    return problem(refusal, success=False, message=refusal.message)


def parse_spec(body: Value, *, rules: SchemaRules, limits: Limits, access: Access) -> Create:
    """The creation that an envelope asks for, or a bare document."""
    return parse_creation(values_in(body), rules=rules, limits=limits, access=access)


def parse_search(body: Value, *, limits: Limits) -> Query:
    """The query of a search without an envelope."""
    return parse_search_request(body, at="", limits=limits)


def parse_envelope(body: Value, *, limits: Limits) -> Query:
    """The query of a search in an envelope, or of a bare one."""
    values, at = search_values_in(body)
    return parse_search_request(values, at=at, limits=limits)


def parse_ranked(body: Value, *, limits: Limits) -> Query:
    """The query of a search that may not name a policy."""
    values, at = search_without_code_in(body)
    return parse_search_request(values, at=at, limits=limits)


def _succeeded(result: WriteResult, *, ignored: Sequence[str] = ()) -> Response:
    assert result.body is not None
    warnings = [*result.warnings, *(f"{name} beside nodeData means nothing here" for name in ignored)]
    body = b'{"success":true,"task_id":"","result":' + result.body + b"}"
    return responses.warned(Response(body, 200, None, responses.JSON), warnings)


async def _found(request: Request, query: Query) -> Response:
    reader = registry_of(request).reader.fleet(caller_of(request))
    notes = await reader.notes_on(query.undocumented, query.paths)
    found = await reader.find(query)
    return responses.warned(responses.documents(found, form=responses.SEARCH_RESULT), notes)


SPEC = Body(
    parse_spec,
    reference("SpecEnvelope"),
    '`{"header", "body": {"spec": {"values": document}}}`, or the document',
    {
        "header": {"templateUri": "Parser/V1", "parameters": {}},
        "body": {
            "spec": {
                "values": {
                    "id": "north",
                    "config": {"publicHostname": "north.example.net"},
                    "clusterMetadata": {"name": "North", "description": "An example", "owner": "Platform team"},
                }
            }
        },
    },
)
NODES = Body(
    nodes_to_add_in,
    reference("NodeEnvelope"),
    '`{"header", "body": {"spec": {"values": node}}}` or the bare node, with `clusterId` among its members; or '
    '`{"clusterId", "nodeData": node or array of nodes}`',
    {
        "clusterId": "cluster-west-vision-001",
        "nodeData": {
            "id": "node-8",
            "gpus": {"count": 0, "memory": 0},
            "vcpus": {"count": 8},
            "memory": 16384,
            "swap": 0,
            "storage": {"disks": 1, "size": 102400},
            "network": {"interfaces": 1, "txBandwidth": 1000, "rxBandwidth": 1000},
        },
    },
)
SEARCH_VALUES = {
    "matchType": "cluster",
    "filter": {"clusterQuery": {"variable": "regionId", "operator": "==", "value": "us-west-2"}},
}
ENVELOPE = Body(
    parse_envelope,
    reference("SearchEnvelope"),
    '`{"header", "body": {"values": {"matchType": "cluster", "filter": {"clusterQuery": ...}}}}`',
    {"header": {"templateUri": "Parser/V1"}, "body": {"values": SEARCH_VALUES}},
)
RANKED = Body(
    parse_ranked,
    reference("SearchEnvelope"),
    '`{"header", "body": {"values": {"matchType": "cluster", "filter": {"clusterQuery": ...}}}}`, without a policy',
    {"header": {"templateUri": "Parser/V1"}, "body": {"values": SEARCH_VALUES}},
)
SEARCH = Body(
    parse_search,
    reference("Search"),
    '`{"matchType": "cluster", "filter": {"clusterQuery": ...}}`',
    SEARCH_VALUES,
)

DOCUMENT = Answer(
    200,
    '`{"success": true, "task_id", "result": document}`',
    reference("ParserResult"),
    (headers.WARNING, headers.IDEMPOTENCY_REPLAYED),
)
FOUND = Answer(200, '`{"success": true, "data": [...]}`', reference("SearchResult"), (headers.WARNING,))

OPERATIONS = (
    Operation(
        name="createClusterFromSpec",
        method="POST",
        path="/api/createCluster",
        handler=create_from_spec,
        tag="parser",
        summary="Create a cluster from a specification of the Parser",
        verb="create",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.REASON, headers.IDEMPOTENCY_KEY),
        body=SPEC,
        answers=(DOCUMENT, DRY_RUN_ANSWER),
        refuses=(errors.IdRefused, errors.ClusterExists, errors.DocumentInvalid, errors.IdempotencyKeyReused),
        refused=refused,
    ),
    Operation(
        name="addNode",
        method="POST",
        path="/api/addNode",
        handler=add_node,
        tag="parser",
        summary="Add nodes to a cluster",
        verb="nodes",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.REASON, headers.IDEMPOTENCY_KEY),
        body=NODES,
        answers=(DOCUMENT, DRY_RUN_ANSWER),
        refuses=(errors.ClusterNotFound, errors.DocumentInvalid, errors.IdempotencyKeyReused),
        refused=refused,
    ),
    Operation(
        name="searchWithEnvelope",
        method="POST",
        path="/api/filter",
        handler=filter_with_envelope,
        tag="parser",
        summary="Search clusters with an envelope of the Parser",
        verb="read",
        body=ENVELOPE,
        answers=(FOUND,),
        refuses=(errors.FilterRefused,),
        refused=refused,
    ),
    Operation(
        name="searchRanked",
        method="POST",
        path="/api/search",
        handler=search_with_envelope,
        tag="parser",
        summary="Search clusters as the Parser's search action does",
        verb="read",
        body=RANKED,
        answers=(FOUND,),
        refuses=(errors.FilterRefused,),
        refused=refused,
    ),
    Operation(
        name="search",
        method="POST",
        path="/api/no-ir/filter",
        handler=filter_without_envelope,
        tag="parser",
        summary="Search clusters",
        verb="read",
        body=SEARCH,
        answers=(FOUND,),
        refuses=(errors.FilterRefused,),
        refused=refused,
    ),
)
