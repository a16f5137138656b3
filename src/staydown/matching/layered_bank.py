"""A bank of which most lies in files that never change and the rest in memory, over it. Pure: no files.

An entry that changes is hidden in the layer below and put on top. Refuses to change what lies below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from staydown.matching.bank_search import BankPart, HeldEntry, SearchedBank
from staydown.matching.held_bank import HeldBank
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS


class BankLayer(BankPart, Protocol):
    """A part of which entries can be hidden, and nothing else."""

    def hide(self, number: int) -> None:
        """Finds the entry no more, if it is there."""

    @property
    def entries(self) -> int:
        """How many entries are not hidden."""

    @property
    def codes(self) -> int:
        """How many codes they have."""

    @property
    def hidden(self) -> int:
        """How many entries are hidden."""


class LayeredBank(SearchedBank):
    """Call `put` and `drop`, then `settle`, then search; see HeldBank."""

    def __init__(
        self, layers: Sequence[BankLayer], *, max_distance_bits: int = DEFAULT_THRESHOLD_BITS
    ) -> None:
        super().__init__(max_distance_bits=max_distance_bits)
        self.layers = tuple(layers)
        self.top = HeldBank(max_distance_bits=max_distance_bits)
        self._parts: tuple[BankPart, ...] = (*self.layers, self.top)

    def parts(self) -> Sequence[BankPart]:
        """The layers and what lies over them."""
        return self._parts

    def __len__(self) -> int:
        """How many entries it holds."""
        return len(self.top) + sum(layer.entries for layer in self.layers)

    @property
    def codes(self) -> int:
        """How many codes it holds."""
        return self.top.codes + sum(layer.codes for layer in self.layers)

    @property
    def hidden(self) -> int:
        """How many entries of the layers are hidden: their place is free when the layer is written anew."""
        return sum(layer.hidden for layer in self.layers)

    def put(self, entry: HeldEntry, *, number: int | None = None) -> None:
        """Takes an entry in, in place of one with the same id, whatever layer that is in."""
        self._hide(entry.id)
        self.top.put(entry, number=number)

    def drop(self, entry_id: str) -> None:
        """Forgets an entry; one that is not there is no error."""
        self._hide(entry_id)
        self.top.drop(entry_id)

    def settle(self) -> None:
        """Brings the indexes up to date; call it before the next search."""
        self.top.settle()

    def _hide(self, entry_id: str) -> None:
        for layer in self.layers:
            number = layer.number_of(entry_id)
            if number is not None:
                layer.hide(number)
