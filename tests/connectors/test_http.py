"""The client against real sockets: what may have been executed, what was not, and what an answer may be."""

import asyncio
import gc
import gzip
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import respx

from connectors.answers import ErrorTable, Verdict
from connectors.base import CallMeter, FileStream
from connectors.errors import Ambiguous, ConnectorError, ContractBroken, CredentialsRejected, QuotaExhausted, Transient
from connectors.http import ApiClient, Call, checked_base
from connectors.multipart import FileForm
from connectors.tokens import TokenAuth
from tests.connectors.connector_kit import MemoryTokens, QuietThrottle, http_answer, no_sleep, raw_server, utc_now

TABLE = ErrorTable(
    read=lambda answer: (answer.body.decode("ascii", "replace").strip(), "said so"),
    codes={"QUOTA": Verdict.QUOTA, "ODD": Verdict.AMBIGUOUS},
    stale_token=frozenset({"STALE"}),
)


def build_client(url: str, **options: object) -> ApiClient:
    given: dict[str, object] = {"throttle": QuietThrottle(), "meter": CallMeter(), "errors": TABLE}
    given |= {"sleep": no_sleep, "timeout": 2.0, "retries": 2}
    return ApiClient(url, **(given | options))  # type: ignore[arg-type]


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def failure(client: ApiClient, *, writing: bool, **options: object) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await client.request("POST", "/x", purpose="test", writing=writing, content=b"{}", **options)
    await client.close()
    return caught.value


async def collect(chunks: AsyncIterator[bytes], into: list[bytes]) -> None:
    async for chunk in chunks:
        into.append(chunk)  # noqa: PERF401 - what came before a failure is wanted too


async def swallow(client: ApiClient, path: str) -> None:
    async with client.stream(Call("GET", path, "file")) as download:
        await collect(download.chunks, [])


class TestLostAnswers:
    @pytest.mark.parametrize("writing", [True, False])
    async def test_a_refused_connection_was_never_sent(self, writing: bool) -> None:
        error = await failure(build_client(f"http://127.0.0.1:{closed_port()}"), writing=writing)
        assert type(error) is Transient
        assert error.code == "UNREACHABLE"

    async def test_an_unknown_host_was_never_sent(self) -> None:
        error = await failure(build_client("http://no-such-host.invalid"), writing=True)
        assert type(error) is Transient

    @pytest.mark.parametrize(("writing", "kind"), [(True, Ambiguous), (False, Transient)])
    async def test_a_connection_closed_without_a_word(self, writing: bool, kind: type[ConnectorError]) -> None:
        async def reply(_head: bytes) -> None:
            return None

        async with raw_server(reply) as url:
            assert type(await failure(build_client(url), writing=writing)) is kind

    @pytest.mark.parametrize(("writing", "kind"), [(True, Ambiguous), (False, Transient)])
    async def test_a_body_cut_short(self, writing: bool, kind: type[ConnectorError]) -> None:
        async def reply(_head: bytes) -> bytes:
            return b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{"

        async with raw_server(reply) as url:
            assert type(await failure(build_client(url, retries=0), writing=writing)) is kind

    @pytest.mark.parametrize(("writing", "kind"), [(True, Ambiguous), (False, Transient)])
    async def test_no_answer_in_time(self, writing: bool, kind: type[ConnectorError]) -> None:
        async def reply(_head: bytes) -> None:
            await asyncio.sleep(5)

        async with raw_server(reply) as url:
            assert type(await failure(build_client(url, timeout=0.05, retries=0), writing=writing)) is kind

    async def test_a_long_pause_is_left_to_the_caller(self) -> None:
        heads: list[bytes] = []

        async def reply(head: bytes) -> bytes:
            heads.append(head)
            return http_answer(b"", "429 Slow", extra="retry-after: 600\r\n")

        async with raw_server(reply) as url:
            error = await failure(build_client(url), writing=False)
        assert isinstance(error, Transient)
        assert (error.retry_after, len(heads)) == (600, 1)

    async def test_a_write_is_sent_once_and_a_read_again(self) -> None:
        heads: list[bytes] = []

        async def reply(head: bytes) -> bytes | None:
            heads.append(head)
            return http_answer(b"BUSY", "503 Unavailable") if len(heads) < 3 else http_answer(b'{"ok":1}')

        async with raw_server(reply) as url:
            error = await failure(build_client(url), writing=True)
            assert type(error) is Ambiguous
            assert len(heads) == 1
            client = build_client(url)
            answer = await client.request("GET", "/x", purpose="test")
            assert answer.json() == {"ok": 1}
            assert len(heads) == 3
            await client.close()

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    async def test_no_layer_beneath_repeats_a_write(self, method: str) -> None:
        heads: list[bytes] = []

        async def reply(head: bytes) -> bytes | None:
            heads.append(head)
            return http_answer(b"{}") if len(heads) == 1 else None

        async with raw_server(reply) as url:
            client = build_client(url)
            await client.request(method, "/x", purpose="test", writing=True)
            with pytest.raises(Ambiguous):  # the kept connection closes under the second call
                await client.request(method, "/x", purpose="test", writing=True)
            await client.close()
        assert len(heads) == 2


class TestAnswers:
    async def call(self, answer: bytes, *, writing: bool = False, **options: object) -> ConnectorError:
        async def reply(_head: bytes) -> bytes:
            return answer

        async with raw_server(reply) as url:
            client = build_client(url, retries=0)
            with pytest.raises(ConnectorError) as caught:
                (await client.request("POST", "/x", purpose="test", writing=writing, content=b"{}", **options)).json()
            await client.close()
            return caught.value

    @pytest.mark.parametrize(
        ("status", "body", "writing", "kind"),
        [
            ("401 No", b"", False, CredentialsRejected),
            ("403 No", b"", True, CredentialsRejected),
            ("404 No", b"", False, ContractBroken),
            ("429 Slow", b"", True, Transient),
            ("429 Slow", b"QUOTA", True, QuotaExhausted),
            ("500 Oops", b"", True, Ambiguous),
            ("500 Oops", b"", False, Transient),
            ("502 Oops", b"<html>", True, Ambiguous),
            ("400 No", b"ODD", True, Ambiguous),
            ("400 No", b"ODD", False, Transient),
            ("302 Away", b"", False, ContractBroken),
            ("200 OK", b"<html>hello</html>", False, ContractBroken),
            ("200 OK", b"<html>hello</html>", True, Ambiguous),
            ("200 OK", b"\xff\xfe{", True, Ambiguous),
            ("200 OK", b"[" * 5000, False, ContractBroken),
        ],
    )
    async def test_the_table(self, status: str, body: bytes, writing: bool, kind: type[ConnectorError]) -> None:
        assert type(await self.call(http_answer(body, status), writing=writing)) is kind

    async def test_retry_after_is_read_in_both_forms(self) -> None:
        error = await self.call(http_answer(b"", "429 Slow", extra="retry-after: 17\r\n"))
        assert isinstance(error, Transient)
        assert error.retry_after == 17
        dates = "date: Mon, 05 Jan 2026 09:00:00 GMT\r\nretry-after: Mon, 05 Jan 2026 09:01:30 GMT\r\n"
        error = await self.call(http_answer(b"", "429 Slow", extra=dates))
        assert isinstance(error, Transient)
        assert error.retry_after == 90
        error = await self.call(http_answer(b"", "429 Slow", extra="retry-after: soon\r\n"))
        assert isinstance(error, Transient)
        assert error.retry_after is None

    @pytest.mark.parametrize(("writing", "kind"), [(False, ContractBroken), (True, Ambiguous)])
    async def test_a_body_beyond_the_cap(self, writing: bool, kind: type[ConnectorError]) -> None:
        error = await self.call(http_answer(b"1" * 5000), writing=writing, max_bytes=4000)
        assert type(error) is kind

    async def test_a_small_body_that_unpacks_large(self) -> None:
        packed = gzip.compress(b"0" * 50_000_000)
        error = await self.call(http_answer(packed, extra="content-encoding: gzip\r\n"), max_bytes=1_000_000)
        assert type(error) is ContractBroken

    async def test_a_broken_encoding(self) -> None:
        error = await self.call(http_answer(b"no gzip", extra="content-encoding: gzip\r\n"), writing=True)
        assert type(error) is Ambiguous

    async def test_a_redirect_is_not_followed(self) -> None:
        error = await self.call(http_answer(b"", "307 Away", extra="location: http://127.0.0.1:1/\r\n"))
        assert "base URL" in error.detail

    async def test_calls_are_counted_by_purpose(self) -> None:
        async def reply(_head: bytes) -> bytes:
            return http_answer(b"{}")

        async with raw_server(reply) as url:
            meter = CallMeter()
            client = build_client(url, meter=meter)
            for purpose in ("a", "a", "b"):
                await client.request("GET", "/x", purpose=purpose, credits=3)
            await client.close()
        assert (meter.made, meter.credits, meter.by_purpose) == (3, 9, {"a": 2, "b": 1})

    async def test_a_429_is_counted_and_holds_everybody_back(self) -> None:
        async def reply(_head: bytes) -> bytes:
            return http_answer(b"", "429 Slow", extra="retry-after: 9\r\n")

        async with raw_server(reply) as url:
            meter, throttle = CallMeter(), QuietThrottle()
            await failure(build_client(url, meter=meter, throttle=throttle), writing=True)
        assert meter.rejected_429 == 1
        assert throttle.penalties == [9]

    async def test_the_guard_sees_the_url_before_anything_is_sent(self) -> None:
        async def guard(url: str) -> None:
            raise CredentialsRejected(f"not there: {url.split('//')[1].split('/', maxsplit=1)[0]}")

        meter = CallMeter()
        client = build_client("http://10.0.0.1", guard=guard, meter=meter)
        error = await failure(client, writing=True)
        assert error.detail == "not there: 10.0.0.1"
        assert meter.made == 0


class Auth(TokenAuth):
    """Gives out t1, t2, ..."""

    def __init__(self, tokens: MemoryTokens) -> None:
        super().__init__(tokens, utc_now)
        self.fetched = 0

    async def fetch(self) -> dict[str, str]:
        self.fetched += 1
        await asyncio.sleep(0)
        return {"access_token": f"secret-token-{self.fetched}"}


class TestTokens:
    def accepting(self, good: str) -> respx.MockRouter:
        router = respx.MockRouter(assert_all_called=False)

        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers["authorization"] == f"Bearer {good}":
                return httpx.Response(200, json={"ok": True})
            return httpx.Response(401, text="STALE")

        router.route().mock(side_effect=answer)
        return router

    def client(self, router: respx.MockRouter, auth: TokenAuth, **options: object) -> ApiClient:
        transport = httpx.MockTransport(router.async_handler)
        return build_client("http://vendor.test", auth=auth, transport=transport, **options)

    async def test_a_token_that_died_is_renewed_once_and_the_call_repeated(self) -> None:
        tokens = MemoryTokens({"access_token": "old"})
        auth = Auth(tokens)
        client = self.client(self.accepting("secret-token-1"), auth)
        answers = await asyncio.gather(*(client.request("GET", "/x", purpose="test") for _ in range(5)))
        assert all(answer.json() == {"ok": True} for answer in answers)
        assert (auth.fetched, tokens.saved) == (1, 1)

    async def test_the_refusal_of_two_fresh_tokens_is_final(self) -> None:
        auth = Auth(MemoryTokens({"access_token": "old"}))
        client = self.client(self.accepting("never"), auth)
        with pytest.raises(CredentialsRejected):
            await client.request("GET", "/x", purpose="test", writing=True)
        assert auth.fetched == 2

    async def test_a_token_from_elsewhere_may_have_died_as_well(self) -> None:
        tokens = MemoryTokens({"access_token": "old"})
        auth = Auth(tokens)
        client = self.client(self.accepting("secret-token-1"), auth)
        await auth.current()
        tokens.token = {"access_token": "from-elsewhere"}
        assert (await client.request("GET", "/x", purpose="test")).json() == {"ok": True}
        assert auth.fetched == 1

    async def test_another_401_renews_nothing(self) -> None:
        router = respx.MockRouter()
        router.route().respond(401, text="SCOPE")
        auth = Auth(MemoryTokens({"access_token": "fine"}))
        with pytest.raises(CredentialsRejected):
            await self.client(router, auth).request("GET", "/x", purpose="test")
        assert auth.fetched == 0

    async def test_another_workers_fresh_token_is_used(self) -> None:
        tokens = MemoryTokens({"access_token": "old"})
        auth = Auth(tokens)
        client = self.client(self.accepting("from-elsewhere"), auth)
        with pytest.raises(CredentialsRejected):
            await client.request("GET", "/x", purpose="test")
        tokens.token = {"access_token": "from-elsewhere"}
        assert (await client.request("GET", "/x", purpose="test")).json() == {"ok": True}
        assert auth.fetched == 2

    async def test_a_token_about_to_end_is_renewed_before_the_call(self) -> None:
        auth = Auth(MemoryTokens({"access_token": "old", "expires_at": utc_now().isoformat()}))
        router = self.accepting("secret-token-1")
        assert (await self.client(router, auth).request("GET", "/x", purpose="test")).status == 200
        assert router.calls.call_count == 1

    async def test_a_stream_cannot_be_repeated_so_the_caller_sends_it_again(self) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"x"

        auth = Auth(MemoryTokens({"access_token": "old"}))
        client = self.client(self.accepting("secret-token-1"), auth)
        with pytest.raises(Transient, match="renewed"):
            await client.request("POST", "/x", purpose="test", writing=True, content=body())
        assert (await client.request("POST", "/x", purpose="test", writing=True, content=b"x")).status == 200

    async def test_secrets_appear_nowhere(self, caplog: pytest.LogCaptureFixture) -> None:
        router = respx.MockRouter()
        router.route().mock(side_effect=lambda request: httpx.Response(400, text=request.headers["authorization"]))
        auth = Auth(MemoryTokens())
        client = self.client(router, auth, secrets=("client-secret",))
        with caplog.at_level("DEBUG"), pytest.raises(ContractBroken) as caught:
            await client.request("GET", "/x", purpose="client-secret")
        seen = f"{caught.value} {caught.value.detail} {caught.value!r} {client!r} {auth!r} {caplog.text}"
        seen += repr(Call("GET", "/x", "p", headers={"authorization": "secret-token-1"}, content=b"secret-token-1"))
        assert "secret-token-1" not in seen
        assert "client-secret" not in f"{caught.value.detail}"


class TestFiles:
    async def test_a_download_streams_and_a_broken_one_is_transient(self) -> None:
        async def reply(head: bytes) -> bytes | None:
            if b"/whole" in head:
                return http_answer(b"a" * 300_000, kind="image/png")
            return b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nabc"

        async with raw_server(reply) as url:
            client = build_client(url, timeout=5)
            async with client.stream(Call("GET", "/whole", "file")) as download:
                parts = [chunk async for chunk in download.chunks]
            assert b"".join(parts) == b"a" * 300_000
            assert len(parts) > 1
            with pytest.raises(Transient):
                await swallow(client, "/cut")
            await client.close()

    async def test_a_refused_download(self) -> None:
        async def reply(_head: bytes) -> bytes:
            return http_answer(b"gone", "404 Gone")

        async with raw_server(reply) as url:
            client = build_client(url)
            with pytest.raises(ContractBroken):
                async with client.stream(Call("GET", "/x", "file")):
                    pass
            await client.close()

    @pytest.mark.parametrize(("size", "sent"), [(5, b"1234"), (3, b"1234"), (None, b"1" * 11)])
    async def test_a_form_never_arrives_cut_short(self, size: int | None, sent: bytes) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield sent

        form = FileForm("file", FileStream("a.txt", "text/plain", size, chunks()), limit=10)
        got: list[bytes] = []
        with pytest.raises(ContractBroken):
            await collect(form.chunks(), got)
        assert form.failure is not None
        assert not b"".join(got).endswith(b"--\r\n")

    async def test_file_names_cannot_break_out_of_the_header(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"

        form = FileForm("file", FileStream('a"\r\nX: y.txt', "text/html\r\nX: y", 1, chunks()), limit=10)
        body = b"".join([chunk async for chunk in form.chunks()])
        assert b'filename="a%22%0D%0AX: y.txt"' in body
        assert b"Content-Type: application/octet-stream\r\n" in body
        assert int(form.headers()["Content-Length"]) == len(body)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "https://u:p@x", "http://x?y=1", "http://x#f", "http://[", "x"])
def test_what_no_base_url_is(url: str) -> None:
    with pytest.raises(CredentialsRejected):
        checked_base(url)


async def test_nothing_is_left_open() -> None:
    async def reply(_head: bytes) -> bytes:
        return http_answer(b"{}")

    async with raw_server(reply) as url:
        client = build_client(url)
        await client.request("GET", "/x", purpose="test")
        await client.close()
    gc.collect()  # an unclosed session would warn, and warnings are errors here
