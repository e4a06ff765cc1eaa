"""Running stages: documents flow from one to the next, most of them one by one.

One rule: what a run holds is counted, and what it gives is no larger and no deeper than a document may be.
"""

from collections.abc import Iterator

from rollbook.documents.values import Document
from rollbook.language.pipelines.operators import Documents, Pipeline, Run, Running
from rollbook.language.projections.weighing import size_of_document
from rollbook.limits import RequestBudget

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
        return _checked(flow)

    return run


def _spending(documents: Documents, work: RequestBudget, units: int) -> Iterator[Document]:
    spend = work.spend
    for document in documents:
        spend(units)
        yield document


def _checked(documents: Documents) -> Iterator[Document]:
    for document in documents:
        size_of_document(document)
        yield document
