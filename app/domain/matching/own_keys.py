"""Keys that are called like the table they are in: AD_User_ID, Idcliente, AptNum, AUFTR_NR."""

import re
from functools import lru_cache

from app.domain.matching.columns import Table
from app.domain.matching.kind_names import kind_of_name
from app.domain.matching.names import fold, spell_out, split

_KEY = r"(?:id|uuid|guid|pk|key|uid)"
_NUMBER = r"(?:num|nr|no|nro|code)"
_ENDS = re.compile(rf"(?P<rest>.+?)(?P<key>{_KEY}|{_NUMBER})")
_BEGINS = re.compile(rf"(?P<key>{_KEY})(?P<rest>.+)")
_LONGEST = 40


def named_after(name: str, table: Table, kind: str) -> str:
    """ "whole" where a column's name is the table's with an id, "short" where it abbreviates the table's name, else "".

    A number ("CustNum") only counts as short: it may be what people call the record by.
    """
    return _named_after(name[:_LONGEST], table.name[:_LONGEST], table.label[:_LONGEST], kind)


@lru_cache(maxsize=20_000)
def _named_after(name: str, table: str, label: str, kind: str) -> str:
    bare = _plain(name)
    wholes = {one.removesuffix("s") for one in (_plain(table), _plain(label)) if one}
    words = [one for text in (table, label) for one in (*split(text), *spell_out(split(text)))]
    short = ""
    for pattern in (_ENDS, _BEGINS):
        found = pattern.fullmatch(bare)
        if found is None:
            continue
        rest, numbered = found["rest"], bool(re.fullmatch(_NUMBER, found["key"]))
        if not numbered and rest.removesuffix("s") in wholes:
            return "whole"
        said = kind_of_name(" ".join(spell_out((rest,))))
        if said in {"", kind} and (said or any(_abbreviates(rest, word) for word in words)):
            short = "short"
    return short


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(text))


def _abbreviates(short: str, word: str) -> bool:
    """Whether the letters are the word's, in order, from its first one on."""
    if not word or short[:1] != word[:1] or len(short) > len(word):
        return False
    letters = iter(word)
    return all(one in letters for one in short)
