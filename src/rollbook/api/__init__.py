"""HTTP: the specified routes and what surrounds them. Knows bytes, headers and statuses; decides nothing."""
