"""A reader: a process of its own that extracts for a run, so that large files are read beside the worker's other work.

It stages pages itself, under the run's fence, and tells the worker of each. What a file breaks there is not the worker,
and the worker's loop stays free for leases and calls. Two pipes carry messages: four bytes of length, then MessagePack.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
import structlog

from app.db import SERVER_TROUBLE
from app.runs.claims import LeaseLost
from app.runs.handover import Handover
from app.runs.work import StageRow, Stopped, Work
from connectors.errors import ConnectorError, ContractBroken, Transient

log = structlog.get_logger()

_LENGTH = 4
BUFFER = 4 * 1024 * 1024
_LONGEST = 1 << 30  # bytes of a message: anything longer is no message


class Task(msgspec.Struct):
    """The run that a reader works for, and the fence under which it may commit. `key` only where it cannot open it."""

    run_id: UUID
    tenant_id: UUID
    engagement_id: UUID
    fence: int
    key: bytes = b""


class Opened(msgspec.Struct, tag="opened", array_like=True):
    """Nothing is staged of this object yet: its records will be handed over."""

    name: str


class Dropped(msgspec.Struct, tag="dropped", array_like=True):
    """This object's records are not handed over."""

    name: str


class Handed(msgspec.Struct, tag="handed", array_like=True):
    """Staged records in key order: their ids, and one JSON array of them."""

    name: str
    ids: list[str]
    text: bytes


class Progress(msgspec.Struct, tag="progress", array_like=True):
    """What the stage has committed so far; `done` with the last one."""

    cursor: str
    counts: dict[str, Any]
    detail: dict[str, Any]
    done: bool


class Failed(msgspec.Struct, tag="failed", array_like=True):
    """Why the extraction ended: `kind` is a key of `_PROBLEMS`, or "lost" for a lease that is another's."""

    kind: str
    detail: str
    code: str


class ReaderBroke(Exception):
    """The process met an error of ours, which it has logged."""


Message = Opened | Dropped | Handed | Progress | Failed
_decode: Callable[[bytes], Message] = msgspec.msgpack.Decoder(Message).decode
_PROBLEMS: Mapping[str, type[ConnectorError]] = {"transient": Transient, "contract": ContractBroken}
_LOST = "lost"


class Reader:
    """The worker's end. The process starts with the first extraction and ends with `close`, or with the worker."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        task: Task,
        *,
        process: asyncio.subprocess.Process | None = None,
    ) -> None:
        """The task goes through the pipe, never into arguments. `process`: the command, if it was started ahead."""
        self._command = command
        self._environment = environment
        self._task = task
        self._process = process
        if process is not None:
            self._send(task)
        self._turn = asyncio.Lock()
        self._over = False

    async def start(self) -> None:
        """Starts the process unless it runs."""
        if self._process is not None:
            return
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env=dict(self._environment), stdin=pipe, stdout=pipe, limit=BUFFER
        )
        self._send(self._task)

    async def extract(self, work: Work, stage: StageRow) -> None:
        """Lets the process extract one object and follows it.

        Raises what the extraction met: a ConnectorError, LeaseLost, ReaderBroke; Stopped when the run is to stop.
        """
        async with self._turn:
            if self._over:  # another object met a problem: the run is about to hear of it
                raise Stopped
            try:
                await self.start()
                self._send(stage)
                while not await self._follow(work, stage):
                    work.check_stop()
                    await work.calm.wait()
            except BaseException:
                await self.close()  # what it has not committed is read again
                raise

    async def _follow(self, work: Work, stage: StageRow) -> bool:
        """Takes the next message; whether it was the last of its stage."""
        match await self._receive():
            case Handed(name, ids, text):
                work.handover.put_block(name, ids, text)
            case Opened(name):
                work.handover.open(name)
            case Dropped(name):
                work.handover.drop(name)
            case Progress(cursor, counts, detail, done):
                stage.cursor, stage.counts, stage.detail = cursor, counts, detail
                work.handover.paged(stage.load)
                return done
            case Failed(kind, detail, code):
                if kind == _LOST:
                    raise LeaseLost
                raise _PROBLEMS[kind](detail, code=code) if kind in _PROBLEMS else ReaderBroke(detail)
        return False

    def _send(self, message: Task | StageRow) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        packed = msgspec.msgpack.encode(message)
        self._process.stdin.write(len(packed).to_bytes(_LENGTH, "big") + packed)

    async def _receive(self) -> Message:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            size = int.from_bytes(await self._process.stdout.readexactly(_LENGTH), "big")
            if size > _LONGEST:
                raise ReaderBroke("its messages make no sense")
            return _decode(await self._process.stdout.readexactly(size))
        except asyncio.IncompleteReadError:
            code = await self._process.wait()
            raise Transient(f"the process that reads the files ended with {code}", code="READER_ENDED") from None

    async def close(self) -> None:
        """Ends the process, and with it what the reader is for."""
        self._over = True
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()


class Telling(Handover):
    """The process's end of a handover: what is put goes to the worker at once. Blocks while the worker is busy."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self._out = out
        self._handed: set[str] = set()
        self.stage: StageRow | None = None

    def open(self, name: str) -> None:
        self._handed.add(name)
        self.tell(Opened(name))

    def drop(self, name: str) -> None:
        if name in self._handed:
            self._handed.discard(name)
            self.tell(Dropped(name))
        self.progress()

    def put(self, name: str, ids: Sequence[str], texts: Sequence[bytes]) -> None:
        if name in self._handed:
            super().put(name, ids, texts)
        self.progress()

    def put_block(self, name: str, ids: Sequence[str], text: bytes) -> None:
        self.tell(Handed(name, list(ids), text))

    def progress(self, *, done: bool = False) -> None:
        """Tells what the stage has committed."""
        if self.stage is not None:
            self.tell(Progress(self.stage.cursor, self.stage.counts, self.stage.detail, done))

    def tell(self, message: Message) -> None:
        packed = msgspec.msgpack.encode(message)
        self._out.write(len(packed).to_bytes(_LENGTH, "big"))
        self._out.write(packed)
        self._out.flush()


def own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The process's two pipes. What anybody prints goes to stderr from here on: stdout belongs to the messages."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, out


def received(pipe: BinaryIO) -> bytes | None:
    """The next message on a blocking pipe; None at its end."""
    size = pipe.read(_LENGTH)
    return pipe.read(int.from_bytes(size, "big")) if len(size) == _LENGTH else None


def task_of(pipe: BinaryIO) -> Task | None:
    """The first message; None when the worker has gone before it."""
    message = received(pipe)
    return None if message is None else msgspec.msgpack.decode(message, type=Task)


async def serve(pipe: BinaryIO, telling: Telling, extract: Callable[[StageRow], Awaitable[None]]) -> None:
    """The process's main loop: extracts what it is asked for, until the worker's end closes."""
    while (message := received(pipe)) is not None:
        stage = telling.stage = msgspec.msgpack.decode(message, type=StageRow)
        try:
            await extract(stage)
        except (LeaseLost, Stopped):
            telling.tell(Failed(_LOST, "", ""))
        except ConnectorError as problem:
            kind = "transient" if isinstance(problem, Transient) else "contract"
            telling.tell(Failed(kind, problem.detail, problem.code))
        except BrokenPipeError:  # the worker is gone
            return
        except SERVER_TROUBLE as problem:
            log.warning("reader_hindered", error=type(problem).__name__)
            telling.tell(Failed("transient", "a server was not reachable", ""))
        except Exception as problem:
            log.exception("reader_broke", error=type(problem).__name__)
            telling.tell(Failed("ours", type(problem).__name__, ""))
        else:
            telling.progress(done=True)
