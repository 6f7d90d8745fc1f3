"""JSON as it is staged, sent and hashed: one encoder for all of it, since a hash is as good as the text under it.

msgspec, not orjson: for texts of a record's size it takes a fifth of the time, for those of an audit entry a twentieth
(orjson 3.13, msgspec 0.22). Numbers that must not change are `msgspec.Raw`; what is given here holds JSON's own types.
"""

from collections.abc import Callable
from typing import Any

import msgspec

json_text: Callable[[Any], bytes] = msgspec.json.Encoder().encode
sorted_json_text: Callable[[Any], bytes] = msgspec.json.Encoder(order="sorted").encode
"""The same whatever order the keys came in."""
