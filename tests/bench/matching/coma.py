"""COMA's schema matcher over lists of names, run in an environment of its own; see `anchors.py`.

Reads `[[source names], [destination names]]` per object pair as JSON from standard input, writes one matrix per pair.
"""

import json
import sys


def main() -> None:
    import pandas as pd
    from valentine import valentine_match
    from valentine.algorithms import Coma

    answers = []
    for left, right in json.load(sys.stdin):
        ours, theirs = [f"{name}#{n}" for n, name in enumerate(left)], [f"{name}#{n}" for n, name in enumerate(right)]
        frames = [pd.DataFrame({name: pd.Series(dtype=str) for name in names}) for names in (ours, theirs)]
        scores = [[0.0] * len(theirs) for _ in ours]
        for pair, score in valentine_match(frames, Coma()).items():
            scores[ours.index(pair.source_column)][theirs.index(pair.target_column)] = float(score)
        answers.append(scores)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
