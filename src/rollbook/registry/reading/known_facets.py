"""The facets that are known without a look at documents: from the index, and from the columns of the registry."""

from msgspec.structs import replace

from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.faceting import facets_in_index
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.narrowing import index_at
from rollbook.security.seeing import SeenView
from rollbook.view.facets import Facet
from rollbook.view.planning.plans import Plan
from rollbook.view.views import View


def facets_known(facts: Facts, view: View | SeenView, asked: FacetQuery, plan: Plan) -> dict[str, Facet]:
    """Those of the facets that are known, by name."""
    if not plan.exact:
        return {}
    indexed = tuple(facet for facet in asked.facets if index_at(view, *facet.paths) is not None)
    known = facets_in_index(replace(asked, facets=indexed), view.index, plan.candidates)
    numbers = view.numbers if plan.candidates is None else plan.candidates
    columns = facts.columns() if asked.reads_registry else None
    return known if columns is None or numbers is None else known | columns.facets(asked, numbers)
