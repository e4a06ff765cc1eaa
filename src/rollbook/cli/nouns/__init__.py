"""``rollbook NOUN VERB``: a module a noun, each a group of commands that ask a server through the client.

One rule: a verb gets its documents from the client and gives them to the printer; it formats nothing itself.
"""
