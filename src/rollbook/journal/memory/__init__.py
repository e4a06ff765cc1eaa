"""The journal and the stores beside it in memory: the model of what each is, for tests and for rivals in them."""
