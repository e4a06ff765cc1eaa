"""Tables: columns of the clusters, as rows or as a DataFrame of pandas, which is imported only when it is asked for."""

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rollbook.client.calls import Answer
from rollbook.client.replies import value

if TYPE_CHECKING:
    from pandas import DataFrame


class Table(Struct, frozen=True):
    """Columns as of ``revision``: for each path a list with a cell for each row.

    A cell is the value at the path, None where there is none; where the path meets an array, the list of the distinct
    values. ``count`` is the number of clusters that match; there are fewer rows only with a ``limit``.
    """

    revision: int
    count: int
    columns: dict[str, list[Any]]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row, by path."""
        for cells in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, cells, strict=True))

    def to_pandas(self) -> "DataFrame":
        """A DataFrame with a column for each path. Raises ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame(self.columns)


def table_of(answer: Answer) -> Table:
    """The table in an answer."""
    body = value(answer)
    return Table(body["revision"], body["count"], {path: _cells(each) for path, each in body["columns"].items()})


def _cells(column: dict[str, Any]) -> list[Any]:
    """The cells of a column that was sent as values, as places in a dictionary, or as lists of such places."""
    if "values" in column:
        return list(column["values"])
    found = [column["dictionary"][code] for code in column["codes"]]
    if "lengths" not in column:
        return found
    ends = list(accumulate(column["lengths"], initial=0))
    return [found[start:end] for start, end in pairwise(ends)]
