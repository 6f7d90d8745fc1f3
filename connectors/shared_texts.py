"""A workbook's shared texts by number, in flat memory: sealed blocks in a temporary file, a few of them at hand."""

import tempfile
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from types import TracebackType

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BLOCK_TEXTS = 64
_BLOCK_BYTES = 8 * 1024
_AT_HAND = 1_024
"""Blocks that are kept open: 8 MiB of text or so, and what Python adds to it. Small ones, since sorted sheets jump."""
_IN_MEMORY = 2 * 1024 * 1024
_NONCE = 12


class SharedTexts:
    """Takes texts in order, then gives them back by number; use as a context.

    What is written to disk is sealed under a key that lives only in this object, since cells are people's data.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by this context
        self._seal = AESGCM(AESGCM.generate_key(256))
        self._firsts, self._places = array("Q"), array("Q", [0])
        self._open: OrderedDict[int, list[str]] = OrderedDict()
        self._count = 0
        self._fill(texts)

    def __enter__(self) -> "SharedTexts":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.clear()
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def _fill(self, texts: Iterable[str]) -> None:
        block: list[str] = []
        size = 0
        for text in texts:
            block.append(text)
            size += len(text)
            if len(block) >= _BLOCK_TEXTS or size >= _BLOCK_BYTES:
                self._keep(block)
                block, size = [], 0
        if block:
            self._keep(block)

    def _keep(self, block: list[str]) -> None:
        number = len(self._firsts)
        body = self._seal.encrypt(number.to_bytes(_NONCE, "big"), orjson.dumps(block), None)
        self._file.write(body)
        self._firsts.append(self._count)
        self._places.append(self._places[-1] + len(body))
        self._count += len(block)

    def __getitem__(self, number: int) -> str:
        """Raises IndexError for a number that the workbook does not have."""
        if not 0 <= number < self._count:
            raise IndexError(number)
        at = bisect_right(self._firsts, number) - 1
        block = self._open.get(at)
        if block is None:
            block = self._read(at)
        else:
            self._open.move_to_end(at)
        return block[number - self._firsts[at]]

    def _read(self, at: int) -> list[str]:
        self._file.seek(self._places[at])
        body = self._file.read(self._places[at + 1] - self._places[at])
        block: list[str] = orjson.loads(self._seal.decrypt(at.to_bytes(_NONCE, "big"), body, None))
        self._open[at] = block
        if len(self._open) > _AT_HAND:
            self._open.popitem(last=False)
        return block
