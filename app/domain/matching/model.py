"""The scoring model: two logistic regressions, first on a pair alone, then with its rivals, and the calibrators."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from app.domain.matching.features import BASE, RIVALRY, Matrix, gap, rivalry_features
from app.domain.matching.shelf import read_text

CALIBRATION = ("logit", "row", "column", "groundless", "stray", "unmeant")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Regression:
    """Coefficients over named features that are centred by `mean` and scaled by `scale` first."""

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    bias: float

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "Regression":
        names = tuple(given["features"])
        rows = [given["features"][name] for name in names]
        mean, scale, weights = (np.array(column, float) for column in zip(*rows, strict=True))
        return cls(names, mean, scale, weights, float(given["bias"]))

    def write(self) -> dict[str, Any]:
        """As it is stored: {"bias", "features": {name: [mean, scale, weight]}}."""
        rows = zip(self.names, self.mean, self.scale, self.weights, strict=True)
        return {"bias": round(self.bias, 5), "features": {n: [round(float(x), 5) for x in r] for n, *r in rows}}

    def logit(self, features: Mapping[str, Matrix]) -> Matrix:
        """Log-odds of every pair."""
        slopes = self.weights / self.scale
        start = self.bias - float((slopes * self.mean).sum())
        total: Any = start
        for name, slope in zip(self.names, slopes, strict=True):
            total = total + features[name] * np.float32(slope)
        made: Matrix = np.asarray(total, np.float32)
        return made

    def shares(self, features: Mapping[str, Matrix], row: int, column: int) -> dict[str, float]:
        """What each feature adds to the log-odds of one pair beyond an average pair."""
        slopes = zip(self.names, self.mean, self.scale, self.weights, strict=True)
        return {
            name: float((features[name][row, column] - mean) / scale * weight) for name, mean, scale, weight in slopes
        }


@dataclass(frozen=True, slots=True)
class Model:
    """Everything learnt: `alone` on BASE, `rivals` on BASE and RIVALRY, `calibration` from margins to probability."""

    alone: Regression
    rivals: Regression
    calibration: Regression
    floor: float
    trained_on: str = ""

    def score(self, base: Mapping[str, Matrix]) -> tuple[Matrix, dict[str, Matrix]]:
        """Log-odds of every pair against its rivals, and all features."""
        first = self.alone.logit(base)
        features = {**base, **rivalry_features(first, base["alias"])}
        return self.rivals.logit(features), features

    def probability(self, logit: Matrix, base: Mapping[str, Matrix], bare: Matrix) -> Matrix:
        """Calibrated probabilities of every pair from its features; `bare` is 1 where a pair is groundless."""
        odds = self.calibration.logit(calibration_features(logit, base, bare))
        made: Matrix = (1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32)
        return made


def calibration_features(logit: Matrix, base: Mapping[str, Matrix], bare: Matrix) -> dict[str, Matrix]:
    """What a probability depends on (CALIBRATION): log-odds, margins to the rivals, whether it is groundless, words of
    the source that the destination field has no use for, and whether no meaning is shared: likeness alone deceives."""
    return {
        "logit": np.clip(logit, -12, 12), "row": gap(logit, 1), "column": gap(logit, 0), "groundless": bare,
        "stray": base["stray"], "unmeant": (1.0 - base["same_concept"]).astype(np.float32),
    }  # fmt: skip


@cache
def shipped() -> Model:
    """The model whose coefficients ship with the package."""
    given = orjson.loads(read_text("coefficients.json"))
    return Model(
        Regression.read(given["alone"]), Regression.read(given["rivals"]), Regression.read(given["calibration"]),
        float(given["floor"]), given["trained_on"],
    )  # fmt: skip


__all__ = ["BASE", "CALIBRATION", "RIVALRY", "Model", "Regression", "calibration_features", "shipped"]
