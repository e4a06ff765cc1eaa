"""What ranges over many keys of a path ask for: its texts in order, and a column of its numbers.

Both are made when they are first asked for, or with the index where there are very many keys.
"""

from collections.abc import Collection, Sequence

from rollbook.view.index.columns import Column, fits_column
from rollbook.view.index.ordered import OrderedKeys
from rollbook.view.index.postings import numbers_in
from rollbook.view.index.trees import PathIndex

COLUMN_KEYS_MIN = 64
"""With fewer distinct numbers, a union of postings is quicker than a column."""

EAGER_KEYS_MIN = 4096
"""From this many keys on, their order is made with the index, and not while a request waits for a plan."""


def make_column(node: PathIndex, size: int) -> Column | None:
    """The column of the numbers of ``size`` documents, made now; None when some number does not fit one."""
    numbers = sorted(key for key in node.postings if isinstance(key, (int, float)))
    if node.without_column or not all(map(fits_column, numbers)):
        node.without_column = True
        return None
    node.column = Column(size)
    node.column.fill(numbers, [numbers_in(node.get(key)) for key in numbers])
    return node.column


def set_numbers(node: PathIndex, number: int, values: Collection[float]) -> None:
    """Set the numbers that document ``number`` has now in the column."""
    if node.column is None:
        return
    if all(map(fits_column, values)):
        node.column.set(number, values)
    else:
        node.column, node.without_column = None, True


def follow_numbers(node: PathIndex, number: int, went: Collection[float], came: Collection[float]) -> bool:
    """Update the column with the numbers that document ``number`` lost and gained; False: it needs all of them."""
    if node.column is None:
        return True
    least, greatest = node.column.get(number)
    if least is None or greatest is None or not all(map(fits_column, came)):
        return False
    if least == greatest and least in went:  # it was the only number, as most are
        node.column.set(number, came)
        return True
    if least in went or greatest in went:
        return False
    if came:
        node.column.set(number, (least, greatest, *came))
    return True


def prepare(node: PathIndex, size: int) -> None:
    """After loading: compact the postings and make what ranges over many keys will ask for."""
    # Plain looks at types: there are as many keys as all documents have values.
    for bitmap in [posting for posting in node.postings.values() if type(posting) is not int]:
        bitmap.run_optimize()  # type: ignore[union-attr]
        bitmap.shrink_to_fit()  # type: ignore[union-attr]
    texts: list[str] = [key for key in node.postings if type(key) is str]
    put_in_order(node, texts, sum(type(key) is int or type(key) is float for key in node.postings), size)


def put_in_order(node: PathIndex, texts: Sequence[str], numbers: int, size: int) -> None:
    """Make what ranges over many keys will ask for: ``texts`` are all strings, ``numbers`` counts the others."""
    if numbers >= COLUMN_KEYS_MIN:
        make_column(node, size)
    if len(texts) >= EAGER_KEYS_MIN:
        node.texts = OrderedKeys(texts)
