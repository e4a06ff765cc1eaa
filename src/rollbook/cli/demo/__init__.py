"""``rollbook demo``: a made-up fleet that lives, in a running registry.

From the bottom up: ``generating`` makes documents, ``marking`` knows the clusters of a demo, ``happenings`` chooses
what happens next, ``living`` sends it, and ``command`` is the command.
"""
