"""Series of preferred numbers, to which ``$bucketAuto`` rounds boundaries: Renard, E series, 1-2-5, powers of two.

One rule: a series repeats in every decade (powers of two: in every octave), and rounding goes to the next number that
is not the same. Zero stays zero.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from math import floor, frexp, ldexp, log10
from types import MappingProxyType

from msgspec import Struct


class Decades(Struct, frozen=True):
    """A series that repeats in every decade: its numbers from 100 up to 1000, without the latter."""

    hundreds: tuple[int, ...]

    def above(self, number: float) -> float:
        """The least number of the series above ``number``."""
        if not number:
            return 0
        decade = self._decade(number)
        return self._at(decade, bisect_right(self.hundreds, number, key=lambda hundred: _decimal(hundred, decade)))

    def below(self, number: float) -> float:
        """The greatest number of the series below ``number``."""
        if not number:
            return 0
        decade = self._decade(number)
        return self._at(decade, bisect_left(self.hundreds, number, key=lambda hundred: _decimal(hundred, decade)) - 1)

    def _decade(self, number: float) -> int:
        decade = floor(log10(number)) - 2
        # The logarithm is rounded, and so may be one off.
        return decade + (number >= _decimal(1000, decade)) - (number < _decimal(100, decade))

    def _at(self, decade: int, place: int) -> float:
        decades, place = divmod(place, len(self.hundreds))
        return _decimal(self.hundreds[place], decade + decades)


def _decimal(hundred: int, decade: int) -> float:
    return float(f"{hundred}e{decade}")


class PowersOfTwo(Struct, frozen=True):
    """The series ... 1/2, 1, 2, 4, 8 ..."""

    def above(self, number: float) -> float:
        """The least power of two above ``number``."""
        if not number:
            return 0
        return self._power(frexp(number)[1])

    def below(self, number: float) -> float:
        """The greatest power of two below ``number``."""
        if not number:
            return 0
        fraction, exponent = frexp(number)
        return self._power(exponent - 2 if fraction == 0.5 else exponent - 1)

    def _power(self, exponent: int) -> float:
        return 2**exponent if 0 <= exponent < 63 else ldexp(1.0, exponent)


Series = Decades | PowersOfTwo


def _renard(step: int) -> Decades:
    return Decades(R80[:: 80 // step])


def _e_series(size: int) -> Decades:
    # The preferred values of 48, 96 and 192 are the powers themselves, rounded; only 920 is not.
    exact = [round(100 * 10 ** (place / size)) for place in range(size)]
    return Decades(tuple([920 if size == 192 and value == 919 else value for value in exact]))


R80 = (
    *(100, 103, 106, 109, 112, 115, 118, 122, 125, 128, 132, 136, 140, 145, 150, 155, 160, 165, 170, 175),
    *(180, 185, 190, 195, 200, 206, 212, 218, 224, 230, 236, 243, 250, 258, 265, 272, 280, 290, 300, 307),
    *(315, 325, 335, 345, 355, 365, 375, 387, 400, 412, 425, 437, 450, 462, 475, 487, 500, 515, 530, 545),
    *(560, 580, 600, 615, 630, 650, 670, 690, 710, 730, 750, 775, 800, 825, 850, 875, 900, 925, 950, 975),
)
E24 = (
    *(100, 110, 120, 130, 150, 160, 180, 200, 220, 240, 270, 300),
    *(330, 360, 390, 430, 470, 510, 560, 620, 680, 750, 820, 910),
)

SERIES: Mapping[str, Series] = MappingProxyType(
    {
        **{f"R{step}": _renard(step) for step in (5, 10, 20, 40, 80)},
        "1-2-5": Decades((100, 200, 500)),
        **{f"E{size}": Decades(E24[:: 24 // size]) for size in (6, 12, 24)},
        **{f"E{size}": _e_series(size) for size in (48, 96, 192)},
        "POWERSOF2": PowersOfTwo(),
    }
)
