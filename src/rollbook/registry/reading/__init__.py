"""Reading: queries, counts, facets and aggregations, answered from the view."""
