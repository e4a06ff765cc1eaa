"""Updates: what an object of update operators does to a document, exactly as MongoDB says, on JSON.

``parse_update`` makes an update of JSON, ``compile_update`` a function of the update, from document to document.
``touched_paths`` says beforehand where it may change one. Pipeline updates are not here: they are pipelines.
"""

from rollbook.language.updates.compiling import compile_update, touched_paths
from rollbook.language.updates.nodes import Change, Modification, Rename, Replacement, Update
from rollbook.language.updates.parsing import parse_update

__all__ = [
    "Change",
    "Modification",
    "Rename",
    "Replacement",
    "Update",
    "compile_update",
    "parse_update",
    "touched_paths",
]
