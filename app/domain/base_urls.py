"""What a base URL may look like: the root of an API and nothing else."""

from urllib.parse import urlsplit


def is_base_url(url: str) -> bool:
    """Whether `url` is http(s)://host[:port][/path], without user, query or fragment."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return valid and not (parts.username or parts.password or parts.query or parts.fragment)
