"""The guard of calls to addresses that users name: what is refused, and that the checked address is the one called."""

import asyncio
import ssl
from collections.abc import Sequence

import pytest

from app.errors import TargetForbidden
from app.outbound import MAX_ANSWER_BYTES, Outbound, OutboundFailed, check_target, check_url, is_forbidden
from tests.api.receiver import Receiver, listening

FORBIDDEN = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1"),
    *("192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808"),
    *("64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:4136:e378::1", "2001:db8::1", "2001:10::1"),
    *("2002:7f00:1::", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "1::1", "", "localhost", "8.8.8", "0x7f.1", "1"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1"]
PUBLIC += ["198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "2620:4f:8001::1"]


@pytest.fixture
async def receiver():
    async with listening() as running:
        yield running


def resolver(*addresses: str):
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


class TestAddresses:
    @pytest.mark.parametrize("address", FORBIDDEN)
    def test_forbidden(self, address: str) -> None:
        assert is_forbidden(address)

    @pytest.mark.parametrize("address", PUBLIC)
    def test_public(self, address: str) -> None:
        assert not is_forbidden(address)

    def test_development_opens_loopback_and_nothing_else(self) -> None:
        opened = {each for each in FORBIDDEN if not is_forbidden(each, allow_loopback=True)}
        assert opened == {"127.0.0.1", "127.8.8.8", "::1"}


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        [
            *("ftp://example.com", "http://example.com/", "https://", "//example.com", "example.com", "javascript:1"),
            *("https://user@example.com", "https://user:word@example.com", "https://example.com/#x", "https://[::1"),
            *("https://example.com:0/", "https://example.com:99999/", "https://exa mple.com", "https://example.com/\n"),
            *("https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/"),
            *("https://é.test/", "https://example.com/" + "x" * 2000, "https://[fe80::1%25eth0]/"),
        ],
    )
    def test_refused(self, url: str) -> None:
        with pytest.raises(TargetForbidden) as refused:
            check_url(url, allow_loopback=False)
        assert refused.value.extra["errors"][0]["pointer"] == "/url"

    @pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/x"])
    def test_accepted(self, url: str) -> None:
        check_url(url, allow_loopback=False)

    async def test_name_that_leads_inside(self) -> None:
        with pytest.raises(TargetForbidden):
            await check_target("https://a.test", allow_loopback=False, resolve=resolver("8.8.8.8", "10.0.0.1"))

    async def test_name_that_does_not_resolve_yet(self) -> None:
        async def fails(host: str, port: int) -> Sequence[str]:
            raise OSError

        await check_target("https://a.test", allow_loopback=False, resolve=fails)


class TestCalls:
    @pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254"])
    async def test_name_that_turned_inside_is_not_connected_to(self, receiver: Receiver, address: str) -> None:
        url = receiver.url.replace("http://127.0.0.1", "https://a.test")
        with pytest.raises(OutboundFailed, match="forbidden"):
            await Outbound(resolve=resolver("8.8.8.8", address)).post(url, {}, b"")
        assert receiver.received == []

    async def test_plain_http_reaches_loopback_only(self, receiver: Receiver) -> None:
        outbound = Outbound(allow_loopback=True, resolve=resolver("8.8.8.8"))
        with pytest.raises(OutboundFailed, match="forbidden"):
            await outbound.post(receiver.url.replace("127.0.0.1", "a.test"), {}, b"")

    async def test_connects_to_the_checked_address(self, receiver: Receiver) -> None:
        """The name is resolved once; the Host header still carries it."""
        calls = []

        async def resolve(host: str, port: int) -> Sequence[str]:
            calls.append(host)
            return ["127.0.0.1"] if len(calls) == 1 else ["10.0.0.1"]

        outbound = Outbound(allow_loopback=True, resolve=resolve)
        answer = await outbound.post(receiver.url.replace("127.0.0.1", "a.test"), {"x-a": "b"}, b"body")
        assert answer.status == 200
        assert calls == ["a.test"]
        assert receiver.received[0].headers["host"].startswith("a.test:")
        assert receiver.received[0].body == b"body"

    async def test_redirect_is_an_answer(self, receiver: Receiver) -> None:
        receiver.answers, receiver.headers = [302], {"Location": receiver.url + "/other"}
        answer = await Outbound(allow_loopback=True).post(receiver.url, {}, b"")
        assert answer.status == 302
        assert len(receiver.received) == 1

    async def test_environment_proxies_are_ignored(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert (await Outbound(allow_loopback=True).post(receiver.url, {}, b"")).status == 200

    async def test_stalls(self, receiver: Receiver) -> None:
        receiver.answers = ["stall"]
        with pytest.raises(OutboundFailed, match="timeout"):
            await Outbound(allow_loopback=True, total=0.05).post(receiver.url, {}, b"")

    async def test_breaks_off(self, receiver: Receiver) -> None:
        receiver.answers = ["reset"]
        with pytest.raises(OutboundFailed, match="protocol"):
            await Outbound(allow_loopback=True).post(receiver.url, {}, b"")

    async def test_nobody_listens(self) -> None:
        with pytest.raises(OutboundFailed, match="connect"):
            await Outbound(allow_loopback=True).post("http://127.0.0.1:1/", {}, b"")

    async def test_no_tls_where_tls_is_asked_for(self, receiver: Receiver) -> None:
        with pytest.raises(OutboundFailed, match="tls"):
            await Outbound(allow_loopback=True).post(receiver.url.replace("http:", "https:"), {}, b"")

    async def test_unknown_name(self) -> None:
        async def fails(host: str, port: int) -> Sequence[str]:
            raise OSError

        with pytest.raises(OutboundFailed, match="dns"):
            await Outbound(resolve=fails).post("https://a.test/", {}, b"")

    async def test_answer_without_end_is_cut(self, receiver: Receiver) -> None:
        receiver.body = b"x" * (MAX_ANSWER_BYTES * 3)
        answer = await Outbound(allow_loopback=True).post(receiver.url, {}, b"")
        assert len(answer.body) == MAX_ANSWER_BYTES


def test_certificates_are_verified() -> None:
    import httpcore

    context = httpcore.default_ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert asyncio.iscoroutinefunction(Outbound.post)
