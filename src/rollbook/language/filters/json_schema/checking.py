"""The only place where a schema is refused; what passes is compiled as it stands.

One rule: what a schema says must be meant. A keyword that draft 4 has and MongoDB has not, or that nobody has, is
refused.
"""

from rollbook.documents.values import Document
from rollbook.language.filters.json_schema.keywords import KeywordSite
from rollbook.language.filters.json_schema.tables import KEYWORDS, UNSUPPORTED
from rollbook.language.filters.sites import FAILED_TO_PARSE, Site


def check_schema(schema: Document, site: Site) -> None:
    """Refuses (FilterRefused) what is no schema of MongoDB's."""
    for name, value in schema.items():
        keyword = KEYWORDS.get(name)
        if keyword is None:
            known = "is not supported" if name in UNSUPPORTED else "is not known"
            raise site.refused(f"the keyword {name} of $jsonSchema {known}", name, mongo_code=FAILED_TO_PARSE)
        keyword.check(value, KeywordSite(name, schema, site.below(name), check_schema))
