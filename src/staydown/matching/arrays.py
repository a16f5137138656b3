"""Checks what callers hand to an index. Refuses to convert: a wrong dtype or shape is an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from staydown.matching.errors import DistanceOutOfRange, WrongShape, WrongType

CODE_BYTES = 32
CODE_BITS = 256

_UINT8, _UINT64 = np.dtype(np.uint8), np.dtype(np.uint64)

Codes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.uint64]
Thresholds = npt.NDArray[np.uint8]

NO_THRESHOLD = 255
"""A code's own threshold when it has none: it is found as far away as a search asks for."""


def check_codes(codes: Codes) -> Codes:
    """The codes, C-contiguous. Raises WrongType unless uint8, WrongShape unless (n, 32)."""
    _check_dtype(codes, _UINT8, what="codes")
    if codes.ndim != 2 or codes.shape[1] != CODE_BYTES:
        raise WrongShape(f"codes have the shape (n, {CODE_BYTES}), not {codes.shape}")
    return np.ascontiguousarray(codes)


def check_ids(ids: Ids) -> Ids:
    """The ids, C-contiguous. Raises WrongType unless uint64, WrongShape unless (n,)."""
    _check_dtype(ids, _UINT64, what="ids")
    if ids.ndim != 1:
        raise WrongShape(f"ids have the shape (n,), not {ids.shape}")
    return np.ascontiguousarray(ids)


def check_pairs(codes: Codes, ids: Ids) -> tuple[Codes, Ids]:
    """Both, checked and of the same length. Raises WrongType and WrongShape."""
    codes, ids = check_codes(codes), check_ids(ids)
    if len(codes) != len(ids):
        raise WrongShape(f"there are {len(codes)} codes and {len(ids)} ids")
    return codes, ids


def check_thresholds(thresholds: Thresholds | None, *, count: int) -> Thresholds | None:
    """The thresholds, C-contiguous, or None. Raises WrongType unless uint8, WrongShape unless (count,)."""
    if thresholds is None:
        return None
    _check_dtype(thresholds, _UINT8, what="thresholds")
    if thresholds.shape != (count,):
        raise WrongShape(f"there are {count} codes and thresholds of the shape {thresholds.shape}")
    return np.ascontiguousarray(thresholds)


def check_distance(max_distance_bits: int) -> int:
    """The distance. Raises WrongType unless it is a whole number, DistanceOutOfRange unless 0..256."""
    if isinstance(max_distance_bits, bool) or not isinstance(max_distance_bits, int | np.integer):
        raise WrongType("a distance is a whole number of bits")
    if not 0 <= max_distance_bits <= CODE_BITS:
        raise DistanceOutOfRange(f"a distance is from 0 to {CODE_BITS} bits, not {max_distance_bits}")
    return int(max_distance_bits)


def _check_dtype(array: Any, dtype: np.dtype[Any], *, what: str) -> None:
    if not isinstance(array, np.ndarray):
        raise WrongType(f"{what} are a numpy array, not {type(array).__name__}")
    # A dtype of the other byte order is not equal to the native one, and is refused with the rest.
    if array.dtype != dtype:
        raise WrongType(f"{what} have the dtype {dtype}, not {array.dtype}")
