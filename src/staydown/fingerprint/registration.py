"""From a scanned picture to the codes registered of it. Leaves out what is too small; refuses nothing."""

from staydown.fingerprint.kernel import PhotoCodes, PhotoScan, Turns
from staydown.fingerprint.terms import Algorithm, Fingerprint
from staydown.fingerprint.views import DerivationSet, split_derivation, view_rectangle


def needs_plane(derivation_set: DerivationSet) -> bool:
    """Whether the set has views, so that the scan must keep its plane."""
    return any(split_derivation(name)[0] != "full" for name in derivation_set.derivations[Algorithm.PDQ])


def derived_fingerprints(
    scan: PhotoScan, codes: PhotoCodes, derivation_set: DerivationSet, *, width: int, height: int
) -> tuple[Fingerprint, ...]:
    """The fingerprints of a set, each rectangle once for each turn.

    scan: finished, with its plane kept if the set has views. A view that is too small, or the same rectangle
    as an earlier one (the 4:3 crop of a 4:3 picture), is left out.
    """
    whole = view_rectangle("full", width=width, height=height)
    known: dict[object, Turns] = {whole: codes.pdq}
    told: set[tuple[object, str]] = set()
    fingerprints = []
    for name in derivation_set.derivations[Algorithm.PDQ]:
        view, turn = split_derivation(name)
        rectangle = view_rectangle(view, width=width, height=height)
        if rectangle is None or (rectangle, turn) in told:
            continue
        told.add((rectangle, turn))
        if rectangle not in known:
            known[rectangle] = scan.view(rectangle)
        turns = known[rectangle]
        fingerprints.append(Fingerprint(Algorithm.PDQ, turns.code(turn), turns.quality, name))
    fingerprints.extend(
        Fingerprint(Algorithm.PDQ512, codes.pdq512.code(turn), codes.pdq512.quality, turn)
        for turn in derivation_set.derivations[Algorithm.PDQ512]
    )
    return tuple(fingerprints)
