"""Numbers with their noun, as people read them: one field is missing, two fields are missing."""


def counted(number: int, noun: str, after: tuple[str, str] = ("", "")) -> str:
    """`counted(1, "field")` → "1 field"; `after` is what follows the noun for one and for several."""
    end = after[0] if number == 1 else after[1]
    return f"{number} {noun}{'' if number == 1 else 's'}{f' {end}' if end else ''}"
