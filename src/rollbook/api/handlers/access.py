"""The operations that answer who a caller is and what it may."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, registry_of, security_of
from rollbook.api.declarations import Answer, Body, Operation, reference
from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.values import Document
from rollbook.errors import ClusterNotFound, PermissionDenied
from rollbook.registry.registry import Registry
from rollbook.security.access import access_of
from rollbook.security.accounts import Accounts
from rollbook.security.callers import Caller
from rollbook.security.identities import facts_from
from rollbook.security.issuing import time_of
from rollbook.security.questions import Subject, judged, parse_question, rules_as_json
from rollbook.security.roles import VERBS

NOT_STORED = {"cache-control": "no-store"}


async def read_access(request: Request) -> Response:
    """Who asks, with its roles, and what their rules allow."""
    caller, identities = caller_of(request), security_of(request).identities
    enforcement = "observed" if caller.observed is not None else "enforced" if identities.is_closed else "open"
    return responses.json_response(
        {
            "caller": caller.name,
            "kind": caller.kind,
            "enforcement": enforcement,
            "roles": [role.name for role in caller.roles],
            "bindings": dict(caller.facts),
            "expiresAt": time_of(caller.expires_at_ms),
            "verbs": sorted(verb for verb in VERBS if caller.may(verb)),
            "rules": rules_as_json(caller.roles, caller.facts, identities.configuration.secrets),
        },
        headers=NOT_STORED,
    )


async def ask_access(request: Request) -> Response:
    """Whether something is allowed, by which roles, and why not."""
    question = await QUESTION.of(request)
    caller = caller_of(request)
    subject = caller if question.subject is None else _subject(question.subject, caller, accounts_of(request))
    document = None if question.id is None else _document(registry_of(request), caller, question.id)
    secrets = security_of(request).identities.configuration.secrets
    judgement = judged(subject.permitted, subject.roles, subject.facts, question, document, secrets=secrets)
    answer = {
        "allowed": judgement.allowed,
        "caller": subject.name,
        "reason": judgement.reason,
        "roles": list(judgement.roles),
    }
    return responses.json_response(answer, headers=NOT_STORED)


def accounts_of(request: Request) -> Accounts:
    """The tokens and roles of the registry."""
    return security_of(request).accounts


def _subject(subject: Subject, caller: Caller, accounts: Accounts) -> Caller:
    """Whom a question is about. Refuses (PermissionDenied) to a caller who may not know what others may."""
    if not any(map(caller.may, ("tokens", "roles", "audit"))):
        raise PermissionDenied(f"{caller.name} may ask about itself alone: leave 'as' out")
    if subject.token is not None:
        return accounts.identities.caller_with(accounts.token(subject.token), "anywhere")
    roles, facts = tuple(map(accounts.role, subject.roles)), facts_from(subject.clusters, subject.owner)
    access = access_of(roles, facts, secrets=accounts.identities.configuration.secrets)
    return Caller(f"roles:{','.join(subject.roles)}", access=access, roles=roles, facts=facts)


def _document(registry: Registry, caller: Caller, id: str) -> Document:
    """The document of ``id``. Refuses (ClusterNotFound) one that the caller does not see."""
    seen = registry.entry(caller, id)
    entry = registry.view.entry(id)
    document = decode_stored((seen if entry is None else entry).body)  # the filters of rules see whole documents
    if caller.permitted.sight().mask_of(document) is None:
        raise ClusterNotFound(f"no cluster has the id {id!r}")
    return document


QUESTION = Body(
    parse_question,
    reference("AccessQuestion"),
    "`verb`, and any of `id`, `paths` and `as`",
    {"verb": "update", "as": {"roles": ["reader"]}},
    options=("verb", "id", "as"),
)
NO_STORE = (headers.CACHE_CONTROL,)

OPERATIONS = (
    Operation(
        name="getAccess",
        method="GET",
        path="/access",
        handler=read_access,
        tag="access",
        summary="See who you are and what you may",
        verb=None,
        answers=(Answer(200, "the caller, its roles, and what their rules allow", reference("Access"), NO_STORE),),
    ),
    Operation(
        name="askAccess",
        method="POST",
        path="/access/can",
        handler=ask_access,
        tag="access",
        summary="Ask whether something is allowed",
        verb=None,
        body=QUESTION,
        answers=(
            Answer(
                200,
                "`allowed`, with the `reason` and the `roles` that allow it; `as` takes the verb `tokens`, `roles` or "
                "`audit`",
                reference("AccessJudgement"),
                NO_STORE,
            ),
        ),
        refuses=(errors.ClusterNotFound, errors.TokenNotFound, errors.RoleNotFound),
    ),
)
