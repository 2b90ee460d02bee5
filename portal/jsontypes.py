"""Types of decoded JSON (RFC 8259) for annotations.

Numbers with a fraction are left out on purpose: neither a save file nor a page event holds one.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"
JSONObject: TypeAlias = dict[str, JSON]
