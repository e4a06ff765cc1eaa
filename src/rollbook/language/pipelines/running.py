"""Running stages: documents flow from one to the next, most of them one by one.

One rule: what a run gives is counted to its last byte, for its documents may share what they hold.
"""

from collections.abc import Iterator

from orjson import JSONEncodeError

from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document
from rollbook.errors import WorkExceeded
from rollbook.language.pipelines.operators import Documents, Pipeline, Run, Running
from rollbook.limits import Work

LAZY_STAGES_MAX = 50
"""Each lazy stage waits inside of the next one's call; more of them in a row would exhaust the stack."""


def compile_stages(pipeline: Pipeline, running: Running) -> Run:
    """The function that sends documents through all stages."""
    runs = [stage.operator.compile(stage.parts, running) for stage in pipeline.stages]

    def run(documents: Documents) -> Iterator[Document]:
        flow: Documents = _spending(documents, running.work, 1 + len(runs))
        for place, stage in enumerate(runs, start=1):
            flow = stage(flow)
            if not place % LAZY_STAGES_MAX:
                flow = list(running.hold(flow))
        return iter(flow)

    return run


def _spending(documents: Documents, work: Work, units: int) -> Iterator[Document]:
    spend = work.spend
    for document in documents:
        spend(units)
        yield document


def counted_results(documents: Documents, work: Work) -> Iterator[Document]:
    """The documents, counted as what they take when they are written out. Refuses (WorkExceeded) what can't be."""
    for document in documents:
        try:
            work.allocate(len(encode_json(document)))
        except JSONEncodeError as error:
            raise WorkExceeded(f"the pipeline makes a document that can't be JSON: {error}", mongo_code=15) from None
        yield document
