"""Markdown as the generated parts of the reference are written in it."""

from collections.abc import Iterable


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def sections(parts: Iterable[tuple[str, str]]) -> str:
    """Sections of the third level: a heading and what stands below it."""
    return "\n\n".join(f"### {heading}\n\n{body}" for heading, body in parts)
