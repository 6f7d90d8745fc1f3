"""HTTP to addresses that users name: resolve, check every answer, connect to the checked address, follow nothing.

The special-purpose registries of IANA are written out, because the standard library's `is_global` is wrong in
Python 3.11.7 (stack notes, section 1). Nothing is read from the environment: no proxy, no credentials file.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

from app.errors import TargetForbidden

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_URL = 2000
MAX_ANSWER_BYTES = 64 * 1024
TOTAL_SECONDS = 15.0
MAX_ADDRESSES = 4

# IANA IPv4 and IPv6 Special-Purpose Address Registries, with multicast and the deprecated ranges that still route
SPECIAL_V4 = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared address space
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relay
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
SPECIAL_V6 = tuple(
    ipaddress.ip_network(text)
    for text in (
        "::/128",  # unspecified
        "::1/128",  # loopback
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # IPv4/IPv6 translation: may lead to any IPv4 address
        "64:ff9b:1::/48",  # local translation
        "100::/64",  # discard only
        "100:0:0:1::/64",  # dummy prefix
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link local
        "fec0::/10",  # site local
        "ff00::/8",  # multicast
    )
)
GLOBAL_V6 = ipaddress.ip_network("2000::/3")


class OutboundFailed(Exception):
    """No answer was had; `reason` is one of forbidden, dns, connect, tls, timeout, protocol."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the body is cut at MAX_ANSWER_BYTES."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_forbidden(text: str, *, allow_loopback: bool = False) -> bool:
    """Whether an address (no name) may not be called: everything special, and what is no address at all."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return True
    if allow_loopback and is_loopback(address):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in SPECIAL_V4)
    return address not in GLOBAL_V6 or any(address in network for network in SPECIAL_V6)


def is_loopback(address: Address) -> bool:
    """127.0.0.0/8 and ::1, in no other spelling."""
    return address in ipaddress.ip_network("127.0.0.0/8") if address.version == 4 else address == _LOOPBACK_V6


_LOOPBACK_V6 = ipaddress.IPv6Address("::1")


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Refuses what no delivery could use: raises TargetForbidden with a pointer to `/url`."""
    wrong = _fault(url, allow_loopback)
    if wrong:
        raise TargetForbidden(wrong, errors=[{"pointer": "/url", "code": "target-forbidden", "detail": wrong}])


def _fault(url: str, allow_loopback: bool) -> str:
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return f"A URL has at most {MAX_URL} printable ASCII characters."
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return "Give an https URL with a host and a usable port."
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_loopback):
        return "Only https is called."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "A URL may hold neither user name nor password nor fragment."
    return _literal_fault(str(parts.hostname), allow_loopback)


def _literal_fault(host: str, allow_loopback: bool) -> str:
    """What is wrong with a host that is an address; names are looked up later."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ""
    forbidden = is_forbidden(host, allow_loopback=allow_loopback)
    return "This address is not on the public internet." if forbidden else ""


async def check_target(url: str, *, allow_loopback: bool, resolve: Resolve | None = None) -> None:
    """`check_url`, and the same for every address the name has now. A name that does not resolve yet is let pass."""
    check_url(url, allow_loopback=allow_loopback)
    parts = urlsplit(url)
    try:
        addresses = await (resolve or resolve_name)(str(parts.hostname), parts.port or 443)
    except OSError:
        return
    if any(is_forbidden(address, allow_loopback=allow_loopback) for address in addresses):
        raise TargetForbidden(
            "This name leads to an address that is not on the public internet.",
            errors=[{"pointer": "/url", "code": "target-forbidden", "detail": "Leads to a special-purpose address."}],
        )


async def resolve_name(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _Guard(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only; the name is still what TLS verifies."""

    def __init__(self, resolve: Resolve, *, allow_loopback: bool, only_loopback: bool) -> None:
        self._resolve = resolve
        self._allow_loopback = allow_loopback
        self._only_loopback = only_loopback
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise OutboundFailed("dns") from error
        if not addresses or any(self._refuses(address) for address in addresses):
            raise OutboundFailed("forbidden")
        problem: Exception | None = None
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise OutboundFailed("connect") from problem

    def _refuses(self, address: str) -> bool:
        if is_forbidden(address, allow_loopback=self._allow_loopback):
            return True
        return self._only_loopback and not is_loopback(ipaddress.ip_address(address.partition("%")[0]))

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        raise OutboundFailed("forbidden")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class Outbound:
    """Posts to what users name. `allow_loopback` is for development; `total` is seconds for the whole call."""

    def __init__(
        self, *, allow_loopback: bool = False, resolve: Resolve = resolve_name, total: float = TOTAL_SECONDS
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolve = resolve
        self._total = total

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One POST, redirects not followed. Raises OutboundFailed."""
        if _fault(url, self._allow_loopback):
            raise OutboundFailed("forbidden")
        guard = _Guard(self._resolve, allow_loopback=self._allow_loopback, only_loopback=urlsplit(url).scheme == "http")
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._total)
        try:
            async with (
                asyncio.timeout(self._total),
                httpcore.AsyncConnectionPool(network_backend=guard) as pool,
                pool.stream(
                    "POST", url, headers=[*headers.items()], content=body, extensions={"timeout": timeouts}
                ) as response,
            ):
                return await _read(response)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise OutboundFailed("timeout") from error
        except httpcore.ConnectError as error:
            raise OutboundFailed("tls" if "SSL" in str(error).upper() else "connect") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, UnicodeError) as error:
            raise OutboundFailed("protocol") from error


async def _read(response: httpcore.Response) -> Answer:
    body = b""
    async for chunk in response.aiter_stream():
        body += chunk[: MAX_ANSWER_BYTES - len(body)]
        if len(body) >= MAX_ANSWER_BYTES:
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return Answer(response.status, headers, body)
