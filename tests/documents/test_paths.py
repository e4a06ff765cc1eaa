import pytest

from rollbook.documents.paths import array_index, dotted, parse_path


@pytest.mark.parametrize("text", ["a", "a.b.0", "", ".", "a..b", "$.a"])
def test_a_path_is_written_as_it_was_read(text):
    assert dotted(parse_path(text)) == text


@pytest.mark.parametrize(
    ("component", "index"),
    [
        ("0", 0),
        ("17", 17),
        ("017", None),
        ("00", None),
        ("", None),
        ("-1", None),
        ("a", None),
        ("²", None),
        ("9" * 5000, None),
    ],
)
def test_an_index_has_digits_only_and_no_leading_zero(component, index):
    assert array_index(component) == index
