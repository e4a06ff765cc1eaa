"""What the tests of pipelines ask: what comes out of a pipeline, or how it is refused."""

import copy
from random import Random
from typing import Any

import pytest

from rollbook.errors import LanguageRefused
from rollbook.language.pipelines import (
    compile_update_stages,
    parse_pipeline,
    parse_update_stages,
    run_pipeline,
)
from rollbook.limits import RequestBudget
from tests.language.refusals import explained


def results(
    pipeline: Any, documents: Any = (), *, work: RequestBudget | None = None, seed: int = 0, **options: Any
) -> Any:
    """What comes out when the documents go through the pipeline. Sees to it that neither is mutated."""
    before = copy.deepcopy((pipeline, list(documents)))
    after = run_pipeline(
        parse_pipeline(pipeline, **options), documents, work=work or RequestBudget(), random=Random(seed)
    )
    assert (pipeline, list(documents)) == before
    return after


def refusal(pipeline: Any, documents: Any = (), **options: Any) -> LanguageRefused:
    """The refusal that the pipeline meets, when it is parsed or when the documents go through it."""
    with pytest.raises(LanguageRefused) as caught:
        results(pipeline, documents, **options)
    return explained(caught.value)


def refused_code(pipeline: Any, documents: Any = (), **options: Any) -> tuple[int | None, str]:
    """MongoDB's code of the refusal, and where in the request it points."""
    refused = refusal(pipeline, documents, **options)
    return refused.mongo_code, refused.at


def updated(document: Any, stages: Any, **options: Any) -> Any:
    """The document after a pipeline update. Sees to it that neither is mutated."""
    before = copy.deepcopy((document, stages))
    after = compile_update_stages(parse_update_stages(stages, **options))(document)
    assert (document, stages) == before
    return after


def update_refused_code(document: Any, stages: Any, **options: Any) -> tuple[int | None, str]:
    """MongoDB's code of the refusal that the update meets, and where in the request it points."""
    with pytest.raises(LanguageRefused) as caught:
        updated(document, stages, **options)
    refused = explained(caught.value)
    return refused.mongo_code, refused.at
