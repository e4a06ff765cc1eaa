"""Every schema by the name that ``declarations.reference`` uses."""

from rollbook.api.declarations import Schema
from rollbook.api.schemas import documents, language, messages, problems, security, tables, webhooks

COMPONENTS: dict[str, Schema] = {
    **documents.COMPONENTS,
    **language.COMPONENTS,
    **messages.COMPONENTS,
    **tables.COMPONENTS,
    **webhooks.COMPONENTS,
    **security.COMPONENTS,
    **problems.COMPONENTS,
}
