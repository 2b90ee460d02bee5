"""Words, names and sentences as in a game's data tables: few words are frequent, many are rare."""

import itertools
import random

# The most frequent words first; further words are made of syllables, like names in games.
_COMMON_TEXT = (
    "the of a and to in for with from on is when this by can at be an as it that used increases "
    "damage item health crafting iron wood water stone reduces food requires speed fire ore oil "
    "animal weapon armor storage power cold heat copper steel carbon fiber leather meat plant seed "
    "tool bench heavy light large small advanced basic frozen cooked raw refined ancient hidden "
    "bow arrow spear knife hammer axe pickaxe shield helmet boots gloves chest barrel crate pump "
    "cave river forest desert arctic swamp lava storm night day mission terrain creature wolf bear "
    "deer boar fish bird worm scorpion mammoth bat frog bee mount saddle egg nest trap bait talent "
    "level experience slot attachment scope magazine bullet shell rocket cable wire battery solar "
    "generator furnace mortar kitchen stove oven freezer wall floor roof door window ramp ladder "
    "beam frame bed table chair lamp torch candle trophy painting carpet curtain flag sign map "
    "compass radar scanner drill deposit vein crystal gold platinum titanium aluminium sulfur "
    "silica coal salt sugar flour bread soup stew cake berry mushroom corn bean pumpkin squash"
)
_ONSETS_TEXT = "b br c ch d dr f g gr h k l m n p qu r s sh st t th tr v w z"
_VOWELS_TEXT = "a e i o u ai ea ou"
_ENDS_TEXT = "l m n r s t ck nd rn st x"
COMMON, _ONSETS, _VOWELS, _ENDS = map(
    str.split, (_COMMON_TEXT, _ONSETS_TEXT, _VOWELS_TEXT, _ENDS_TEXT)
)
WORDS = 9_000
NOUNS = 2_000
_ZIPF = 0.95
# Unusual words that tokenizer and page must handle.
_ORNAMENTS = (
    "50%",
    "+10",
    "-5",
    "“sharp”",
    "crème",
    "naïve",
    "x2",
    "(rare)",
    "T4",
    "🔥",
    "Ætherium",
)


class Vocabulary:
    """One random generator makes everything: a seed gives the same words, names and sentences."""

    def __init__(self, draws: random.Random) -> None:
        self._draws = draws
        made = dict.fromkeys(COMMON)
        while len(made) < WORDS:
            made[self._invented()] = None
        self.words = list(made)
        weights = [1 / (rank + 2) ** _ZIPF for rank in range(WORDS)]
        self._weights = list(itertools.accumulate(weights))
        first = COMMON.index("damage")  # the words before it are in no name
        self._nouns = [word.capitalize() for word in self.words[first:NOUNS]]
        self._noun_weights = list(itertools.accumulate(weights[first:NOUNS]))

    def _invented(self) -> str:
        syllables = [
            self._draws.choice(_ONSETS) + self._draws.choice(_VOWELS)
            for _ in range(self._draws.randint(1, 3))
        ]
        return "".join(syllables) + self._draws.choice(_ENDS)

    def sentence(self, fewest: int, most: int) -> str:
        """A sentence of so many words, with a capital and a full stop."""
        count = self._draws.randint(fewest, most)
        words = self._draws.choices(self.words, cum_weights=self._weights, k=count)
        if self._draws.random() < 0.2:
            words.insert(self._draws.randint(0, count), self._draws.choice(_ORNAMENTS))
        text = " ".join(words)
        return text[0].upper() + text[1:] + "."

    def nouns(self, fewest: int, most: int) -> list[str]:
        """Draw so many words, each with a capital."""
        count = self._draws.randint(fewest, most)
        return self._draws.choices(self._nouns, cum_weights=self._noun_weights, k=count)

    def row_name(self, taken: object) -> str:
        """A name that is not in `taken`: CamelCase with underscores, a number now and then."""
        while True:
            first, *rest = self.nouns(1, 4)
            if len(rest) > 2:
                name = f"{first}{rest[0]}_{'_'.join(rest[1:])}"
            else:
                name = "_".join((first, *rest))
            if not rest or self._draws.random() < 0.25:
                name = f"{name}_{self._draws.randint(1, 400):02}"
            if name not in taken:  # type: ignore[operator]
                return name

    def camel(self, taken: object, suffix: str = "") -> str:
        """A name for a category, table or column that is not in `taken`."""
        while (name := "".join(self.nouns(1, 2)) + suffix) in taken:  # type: ignore[operator]
            pass
        return name
