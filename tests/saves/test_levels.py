"""Levels and experience: the game's curves, and what a change of the level does to experience."""

import pytest

from portal import saves
from portal.saves.errors import EditError
from portal.saves.experience import MOUNTS, PETS, curve_of
from tests.support.saves import mounts_json

# Levels and experience of real mounts: each has enough for its level and too little for the next.
SEEN = [(26, 85_812), (32, 184_330), (33, 211_916)]
MOUNT_POINTS = {
    5: 5_000,
    10: 13_500,
    15: 27_500,
    20: 47_000,
    25: 75_000,
    30: 140_000,
    35: 245_000,
    40: 440_000,
    45: 710_000,
    50: 1_150_000,
}
PET_POINTS = {5: 10_446, 10: 26_741, 15: 60_167, 20: 126_125, 25: 250_145}


def edit(level, mount=1, **more):
    return {"edit": "level", "mount": mount, "level": level, **more}


@pytest.mark.parametrize(("curve", "points"), [(MOUNTS, MOUNT_POINTS), (PETS, PET_POINTS)])
def test_a_curve_meets_its_points_and_rises(curve, points):
    assert {level: curve.experience(level) for level in points} == points
    rising = [curve.experience(level) for level in curve.levels]
    assert rising == sorted(set(rising))
    assert curve.levels[0] == 1
    with pytest.raises(ValueError, match="not known at level"):
        curve.experience(curve.levels[-1] + 1)


@pytest.mark.parametrize(("level", "experience"), SEEN)
def test_real_mounts_lie_on_the_curve(level, experience):
    assert MOUNTS.experience(level) <= experience < MOUNTS.experience(level + 1)


def test_between_points_the_curve_is_a_spline_for_mounts_and_straight_for_pets():
    # Hermite at 2/5 from 15 to 20: 0.648 * 27,500 + 0.144 * 5 * 3,350 + 0.352 * 47,000
    # - 0.096 * 5 * 4,750, with the tangents 3,350 and 4,750.
    assert MOUNTS.experience(17) == 34_496
    assert PETS.experience(12) == 40_112  # 26,741 + 2/5 of 33,426, rounded up


@pytest.mark.parametrize(
    ("species", "curve"),
    [("Mount_Heron", MOUNTS), ("Tamed_Wolf", PETS), ("", None), ("None", None), (None, None)],
)
def test_the_species_decides_the_curve(species, curve):
    assert curve_of(species) is curve


@pytest.mark.parametrize("level", [41, 42, 45, 50])
def test_a_higher_level_never_takes_experience(level):
    content = mounts_json({"level": 40, "experience": 458_463})
    (mount,) = saves.change("pets", content, [edit(level)]).description["mounts"]
    assert mount["experience"] == max(458_463, MOUNTS.experience(level))


def test_a_mount_with_more_experience_than_the_level_takes_keeps_it():
    content = mounts_json({"level": 12, "experience": 500_000})
    told = saves.preview("pets", content, [edit(20)])
    assert [change["path"] for change in told] == [["level"], ["last_level"]]
    assert "keeps it" in told[0]["note"]


@pytest.mark.parametrize("level", range(1, 10))
def test_the_first_levels_can_be_set(level):
    content = mounts_json({"level": 10, "experience": 13_500}, {"species": "Tamed_Wolf"})
    after = saves.change("pets", content, [edit(level, lower=True), edit(level, 2, lower=True)])
    experience = [mount["experience"] for mount in after.description["mounts"]]
    assert experience == [MOUNTS.experience(level), PETS.experience(level)]


@pytest.mark.parametrize("more", [{}, {"lower": False}])
def test_lowering_is_asked_for_twice(more):
    content = mounts_json({"level": 40, "experience": 458_463})
    told = saves.preview("pets", content, [edit(30, **more)])
    assert "318,463 experience is lost" in told[0]["note"]
    with pytest.raises(EditError, match="has to be confirmed"):
        saves.change("pets", content, [edit(30, **more)])
    written = saves.change("pets", content, [edit(30, lower=True)])
    assert written.description["mounts"][0]["experience"] == 140_000
    with pytest.raises(EditError, match="lower is true or false"):
        saves.change("pets", content, [edit(30, lower="yes")])
