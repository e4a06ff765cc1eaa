"""The journal and the stores beside it in a PostgreSQL database that many processes share."""
