"""What a request means: MongoDB's query, update and aggregation languages on JSON values. Pure: no server, no disk."""
