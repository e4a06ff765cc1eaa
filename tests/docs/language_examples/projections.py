"""An example or more of each form of projections."""

from tests.docs.language_examples.rows import Showing

WEST = {"id": "west", "gpus": {"count": 8, "memory": 640}}
LOADS = {"id": "west", "loads": [5, 7, 9]}
NODES = {"id": "west", "nodes": [{"id": "a", "gpus": 2}, {"id": "b", "gpus": 8}]}

EXAMPLES = (
    Showing("Included", {"gpus.count": 1}, WEST, {"id": "west", "gpus": {"count": 8}}),
    Showing("Included", {"id": 0, "gpus": {"count": 1}}, WEST, {"gpus": {"count": 8}}),
    Showing("Excluded", {"gpus.memory": 0}, WEST, {"id": "west", "gpus": {"count": 8}}),
    Showing("Computed", {"each": {"$divide": ["$gpus.memory", "$gpus.count"]}}, WEST, {"id": "west", "each": 80.0}),
    Showing("Computed", {"kind": "cluster"}, WEST, {"id": "west", "kind": "cluster"}),
    Showing("Sliced", {"loads": {"$slice": 2}}, LOADS, {"id": "west", "loads": [5, 7]}),
    Showing("Sliced", {"loads": {"$slice": [-2, 1]}}, LOADS, {"id": "west", "loads": [7]}),
    Showing(
        "FirstMatch",
        {"nodes": {"$elemMatch": {"gpus": {"$gte": 4}}}},
        NODES,
        {"id": "west", "nodes": [{"id": "b", "gpus": 8}]},
    ),
    Showing(
        "Positional", {"nodes.$": 1}, NODES, {"id": "west", "nodes": [{"id": "b", "gpus": 8}]}, filter={"nodes.id": "b"}
    ),
)
