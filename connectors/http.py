"""The one module that imports httpx: calls a platform; whatever happens becomes an error of `connectors.errors`.

What matters is whether a call can have been executed. Each request carries a mark that is set when it is handed to the
network and taken back when the connection never came up; a writing call that fails while the mark stands is Ambiguous.
"""

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from app.domain.base_urls import is_base_url
from connectors.answers import Answer, ErrorTable
from connectors.base import CallMeter, Throttle
from connectors.errors import Ambiguous, ConnectorError, ContractBroken, CredentialsRejected, Transient
from connectors.tokens import TokenAuth
from connectors.tracing import traced_call

Guard = Callable[[str], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]
Body = bytes | AsyncIterator[bytes] | None

MAX_BODY = 64 * 1024 * 1024
_MAX_REFUSAL = 256 * 1024
_RENEWALS = 2
_KEEPALIVE_SECONDS = 4.0  # below the five seconds after which common servers close an idle connection themselves
_PAUSE_AFTER_429 = 1.0
_LONGEST_PAUSE = 60.0
_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, OSError, TimeoutError)


@dataclass(slots=True)
class _Mark:
    sent: bool = False


class _Wire(httpx.AsyncBaseTransport):
    """Marks requests as sent. The aiohttp transport names a lost connection a failed connect, so we look beneath."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        mark: _Mark = request.extensions["mark"]
        mark.sent = True
        try:
            return await self._inner.handle_async_request(request)
        except httpx.TransportError as error:
            beneath = error.__cause__
            mark.sent = not isinstance(error if beneath is None else beneath, _NEVER_CONNECTED)
            raise
        except aiohttp.InvalidURL:
            mark.sent = False
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `path` is appended to the base URL, its parts already quoted.

    `accept` lists refusing statuses that the caller reads itself; 2xx always are accepted. An `idempotent` write ends
    in the same state however often it is made: changing or deleting one record by its id.
    """

    method: str
    path: str
    purpose: str
    writing: bool = False
    idempotent: bool = False
    params: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: Body = field(default=None, repr=False)
    credits: int = 1
    heavy: bool = False
    accept: frozenset[int] = frozenset()
    max_bytes: int = MAX_BODY
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A body on its way. Iterating raises Transient when the connection breaks."""

    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class ApiClient:
    """Calls one platform for one account. Every method raises the errors of `connectors.errors` and nothing else.

    `guard` sees each URL before a connection is made and raises a ConnectorError to forbid it. Reads are repeated
    after Transient errors, `retries` times with doubling pauses; writes only where a call says that it may be.
    """

    def __init__(
        self,
        base_url: str,
        *,
        throttle: Throttle,
        meter: CallMeter,
        errors: ErrorTable,
        auth: TokenAuth | None = None,
        timeout: float = 30.0,
        guard: Guard | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        retries: int = 4,
        secrets: tuple[str, ...] = (),
        on_answer: Callable[[Answer], None] | None = None,
    ) -> None:
        self._base = checked_base(base_url)
        self._throttle = throttle
        self._meter = meter
        self._errors = errors
        self._auth = auth
        self._timeout = timeout
        self._guard = guard
        self._sleep = sleep
        self._retries = retries
        self._on_answer = on_answer
        self._secrets = secrets
        self._host = urlsplit(self._base).netloc
        wire = _Wire(transport or _plain_or_tls(self._base))
        # The wire is called directly: no redirect is followed, no cookie kept, and a client's own bookkeeping for both
        # costs as much as the call itself. The client gives its default headers.
        self._wire = wire
        self._client = httpx.AsyncClient(transport=wire, trust_env=False)
        self._defaults = dict(self._client.headers)
        self._limits = _timeouts(timeout)

    async def request(self, method: str, path: str, *, purpose: str, **options: Any) -> Answer:
        """Sends one `Call` (its other fields are `options`) and returns the accepted answer."""
        return await self.send(Call(method, path, purpose, **options))

    async def send(self, call: Call) -> Answer:
        """Sends `call`; reads are repeated after Transient errors, `idempotent` writes after lost answers too."""
        if call.writing and not call.idempotent:
            return await self._attempt(call)
        for attempt in range(self._retries):
            try:
                return await self._attempt(call)
            except (Transient, Ambiguous) as error:
                after = error.retry_after if isinstance(error, Transient) else None
                pause = after if after is not None else min(0.5 * 2**attempt, 30.0)
                if pause > _LONGEST_PAUSE:  # the caller parks the run instead of holding its lease meanwhile
                    raise
                await self._sleep(pause)
        return await self._attempt(call)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Download]:
        """Opens a body of any size; the account's slot is held until the block ends. Not repeated."""
        async with self._throttle.slot(credits=call.credits, heavy=call.heavy):
            with traced_call(call.purpose, call.method, self._host) as answered:
                response = await self._open(call)
                answered(response.status_code)
            try:
                yield Download(response.headers, self._chunks(call, response))
            finally:
                await _close(response)

    def refusal(self, answer: Answer) -> ConnectorError:
        """The error for an answer that the caller had accepted in order to look at it."""
        return self._errors.error(answer, self._clean)

    async def close(self) -> None:
        await self._client.aclose()

    async def _attempt(self, call: Call) -> Answer:
        async with self._throttle.slot(credits=call.credits, heavy=call.heavy):
            mark = _Mark()
            with traced_call(call.purpose, call.method, self._host) as answered:
                try:
                    async with asyncio.timeout(call.timeout or self._timeout):
                        response = await self._exchange(call, mark)
                        try:
                            body = await _read(response, call.max_bytes)
                        finally:
                            await _close(response)
                except _FOREIGN as error:
                    raise self._lost(call, mark, error) from None
                answered(response.status_code)
            answer = Answer(response.status_code, response.headers, body or b"", call.writing, call.purpose)
            if body is None:
                raise answer.unreadable(f"it is longer than {call.max_bytes} bytes")
            self._judge(call, answer)
            return answer

    async def _open(self, call: Call) -> httpx.Response:
        mark = _Mark()
        try:
            async with asyncio.timeout(call.timeout or self._timeout):
                response = await self._exchange(call, mark)
                if 200 <= response.status_code < 300:
                    return response
                try:
                    body = await _read(response, _MAX_REFUSAL)
                finally:
                    await _close(response)
        except _FOREIGN as error:
            raise self._lost(call, mark, error) from None
        answer = Answer(response.status_code, response.headers, body or b"", call.writing, call.purpose)
        self._judge(call, answer)
        raise self.refusal(answer)

    async def _exchange(self, call: Call, mark: _Mark) -> httpx.Response:
        """Sends, and again after a token that died early; returns the response with its body unread.

        Twice at the most: the first token may be one that another worker fetched, and has died as well meanwhile.
        """
        url = self._base + call.path
        if self._guard is not None:
            await self._guard(url)
        for renewals in range(_RENEWALS + 1):
            request = self._build(call, url, mark)
            response = await self._dispatch(call, request)
            if response.status_code != 401 or self._auth is None or renewals == _RENEWALS:
                break
            try:
                body = await _read(response, _MAX_REFUSAL)
            finally:
                await _close(response)
            answer = Answer(401, response.headers, body or b"", call.writing, call.purpose)
            if self._errors.read(answer)[0] not in self._errors.stale_token:
                raise self.refusal(answer)
            mark.sent = False
            await self._auth.renew(request.headers["Authorization"])
            if not isinstance(call.content, bytes | None):
                raise Transient(f"{call.purpose}: the access token had expired and was renewed", code="TOKEN_RENEWED")
        return response

    def _build(self, call: Call, url: str, mark: _Mark) -> httpx.Request:
        timeouts = _timeouts(call.timeout) if call.timeout else self._limits
        return httpx.Request(
            call.method,
            _parsed(url),
            params=call.params,
            headers={**self._defaults, **{name.lower(): value for name, value in call.headers.items()}},
            content=call.content,
            extensions={"mark": mark, "timeout": timeouts},
        )

    async def _dispatch(self, call: Call, request: httpx.Request) -> httpx.Response:
        if self._auth is not None:
            request.headers["Authorization"] = await self._auth.current()
        self._meter.count(call.purpose, call.credits)
        return await self._wire.handle_async_request(request)

    async def _chunks(self, call: Call, response: httpx.Response) -> AsyncIterator[bytes]:
        total = 0
        try:
            async for chunk in response.aiter_bytes():
                total += len(chunk)
                if total > call.max_bytes:
                    raise ContractBroken(f"{call.purpose}: the file is longer than {call.max_bytes} bytes")
                yield chunk
        except _FOREIGN as error:
            raise Transient(f"{call.purpose}: the download broke off after {total} bytes ({_name(error)})") from None

    def _judge(self, call: Call, answer: Answer) -> None:
        if self._on_answer is not None:
            self._on_answer(answer)
        if 200 <= answer.status < 300 or answer.status in call.accept:
            return
        error = self.refusal(answer)
        self._meter.rejected_429 += answer.status == 429
        if isinstance(error, Transient) and (answer.status == 429 or error.retry_after is not None):
            self._throttle.penalise(_PAUSE_AFTER_429 if error.retry_after is None else error.retry_after)
        raise error

    def _lost(self, call: Call, mark: _Mark, error: BaseException) -> ConnectorError:
        """A call without an answer: not executed, or nobody knows."""
        text = f"{call.purpose}: no answer from {self._host} ({_name(error)})"
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | aiohttp.InvalidURL):
            return ContractBroken(text, code="BAD_URL")
        if call.writing and mark.sent:
            return Ambiguous(f"{text} after the request was sent", code="ANSWER_LOST")
        return Transient(text, code="ANSWER_LOST" if mark.sent else "UNREACHABLE")

    def _clean(self, text: str) -> str:
        for secret in (*self._secrets, *(self._auth.secrets() if self._auth else ())):
            if len(secret) > 3:
                text = text.replace(secret, "***")
        return "".join(sign if sign.isprintable() else " " for sign in text)

    def __repr__(self) -> str:
        return f"<ApiClient {self._base}>"


def checked_base(url: str) -> str:
    """A base URL without a trailing slash. Raises CredentialsRejected when it cannot be the root of an API."""
    if not is_base_url(url):
        raise CredentialsRejected("the connection's base URL must be http(s)://host[:port][/path] and nothing else")
    return url.rstrip("/")


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@functools.lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Few distinct URLs without parameters are called very often. Raises httpx.InvalidURL."""
    return httpx.URL(url)


def _timeouts(seconds: float) -> dict[str, float | None]:
    """Connecting ends well before the whole call does, so that it is known to have failed unsent."""
    return httpx.Timeout(seconds, connect=min(10.0, seconds / 2), pool=min(10.0, seconds / 2)).as_dict()


def _plain_or_tls(base: str) -> AiohttpTransport:
    """Certificates are only read where they are needed; the context without any accepts no server at all."""
    tls = _tls() if base.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return AiohttpTransport(verify=tls, client=functools.partial(_session, tls))


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=_KEEPALIVE_SECONDS)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    session._retry_connection = False  # aiohttp would silently repeat a PUT or DELETE whose connection broke
    return session


async def _read(response: httpx.Response, limit: int) -> bytes | None:
    """The decoded body, or None when it is longer than `limit`."""
    parts: list[bytes] = []
    total = 0
    body: AsyncIterator[bytes] | httpx.AsyncByteStream = response.aiter_bytes()
    if "content-encoding" not in response.headers and isinstance(response.stream, httpx.AsyncByteStream):
        body = response.stream  # nothing to decode: the client's own steps would cost as much as the call
    async for chunk in body:
        total += len(chunk)
        if total > limit:
            return None
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _close(response: httpx.Response) -> None:
    """Gives the connection back; one that breaks at this point has nothing more to tell."""
    try:
        await response.aclose()
    except _FOREIGN:
        return


def _name(error: BaseException) -> str:
    """The kind of failure, without its text: that may hold a URL with a token in it."""
    beneath = error.__cause__
    return type(beneath or error).__name__
