"""Experience curves: how much experience a level takes.

Mounts (`Mount_*`) follow a cubic Hermite spline through points every five levels, whose tangent at
a point is (next - previous) / (difference of levels), and one-sided at both ends; it was right for
28 of 28 real mounts. Other tame animals (wolves and the like) follow straight lines up to level 25,
right for the 8 that were seen.
"""

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (level, experience), in order, joined by a spline or by straight lines."""

    points: tuple[tuple[int, int], ...]
    smooth: bool

    @property
    def levels(self) -> range:
        """The levels that an animal can be given."""
        return range(1, self.points[-1][0] + 1)

    def experience(self, level: int) -> int:
        """The least experience that reaches a level. Raises `ValueError` outside of the curve."""
        for index, ((low, least), (high, most)) in enumerate(pairwise(self.points)):
            if low <= level <= high:
                if not self.smooth:
                    exact = least + (most - least) * (level - low) / (high - low)
                else:
                    exact = self._spline(index, level)
                return math.ceil(exact - 1e-6)  # floats are off in the tenth digit
        raise ValueError(f"the curve is not known at level {level}")

    def _spline(self, index: int, level: int) -> float:
        (low, least), (high, most) = self.points[index : index + 2]
        width = high - low
        t = (level - low) / width
        return (
            (2 * t**3 - 3 * t**2 + 1) * least
            + (t**3 - 2 * t**2 + t) * width * self._tangent(index)
            + (3 * t**2 - 2 * t**3) * most
            + (t**3 - t**2) * width * self._tangent(index + 1)
        )

    def _tangent(self, index: int) -> float:
        (low, least) = self.points[max(index - 1, 0)]
        (high, most) = self.points[min(index + 1, len(self.points) - 1)]
        return (most - least) / (high - low)


MOUNTS = Curve(
    (
        (0, 0),
        (5, 5_000),
        (10, 13_500),
        (15, 27_500),
        (20, 47_000),
        (25, 75_000),
        (30, 140_000),
        (35, 245_000),
        (40, 440_000),
        (45, 710_000),
        (50, 1_150_000),
    ),
    smooth=True,
)
PETS = Curve(
    ((0, 0), (5, 10_446), (10, 26_741), (15, 60_167), (20, 126_125), (25, 250_145)), smooth=False
)


def curve_of(species: object) -> Curve | None:
    """The curve of a species (`AISetupRowName`); None where the save does not name one."""
    if not isinstance(species, str) or species in ("", "None"):
        return None
    return MOUNTS if species.startswith("Mount_") else PETS
