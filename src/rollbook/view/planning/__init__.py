"""Planning: from a filter to the documents that may match, by the index alone."""
