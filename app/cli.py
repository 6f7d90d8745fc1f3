"""The tranship command."""


def main() -> None:
    raise SystemExit("not yet")
