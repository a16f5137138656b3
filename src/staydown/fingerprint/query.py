"""What an upload is looked up by: the whole picture and, where edits are sought, rectangles cut out of it.

Refuses to decide anything: it gives codes. Turned and mirrored uploads need nothing here, because the bank
holds the turned and mirrored codes.
"""

from collections.abc import Iterator

from staydown.fingerprint.decode import check_bytes, decode_frames
from staydown.fingerprint.errors import UnknownFormat
from staydown.fingerprint.formats import HEAD_BYTES, is_video
from staydown.fingerprint.further_frames import further_frames
from staydown.fingerprint.kernel import Method, PhotoCodes, PhotoScan, Rectangle, certain_scan
from staydown.fingerprint.limits import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.media import Source, digests_of_bytes, read_source
from staydown.fingerprint.rectangles import cut_rectangles, interface_rectangle, overview_of, without_border
from staydown.fingerprint.terms import Algorithm, Fingerprint, QueryFingerprints, QueryLevel, QueryView
from staydown.fingerprint.views import view_rectangle

# What "deep" looks at beside geo9: halves and quarters find parts of collages, the slightly smaller middle
# finds pictures whose frame the border search misses. Each costs as much search as the whole.
_DEEP_PARTS: dict[str, tuple[int, int, int, int]] = {  # left, top, right, bottom in halves of the sides
    "half-left": (0, 0, 1, 2),
    "half-right": (1, 0, 2, 2),
    "half-top": (0, 0, 2, 1),
    "half-bottom": (0, 1, 2, 2),
    "quarter-1": (0, 0, 1, 1),
    "quarter-2": (1, 0, 2, 1),
    "quarter-3": (0, 1, 1, 2),
    "quarter-4": (1, 1, 2, 2),
}
_DEEP_VIEWS = ("cc95", "cc90")


def query_image(
    source: Source, *, limits: DecodeLimits = DEFAULT_LIMITS, level: QueryLevel = QueryLevel.GEO9
) -> QueryFingerprints:
    """What one picture is looked up by, computed in this process.

    For files from strangers use SandboxPool.query, which gives the same and survives hostile input.
    Raises a NotFingerprintable (a video is UnknownFormat here); OSError if the file cannot be opened.
    """
    data = read_source(source, limits=limits)
    width, height, views = query_answer(data, limits=limits, level=level)
    return QueryFingerprints("image", digests_of_bytes(data), width, height, views)


def query_answer(
    data: bytes, *, limits: DecodeLimits, level: QueryLevel
) -> tuple[int, int, tuple[QueryView, ...]]:
    """Upright width, height and the views of a picture's bytes: the sandbox's work.

    Rectangles are cut out of the first frame or page; of further ones that differ there is the whole, named
    "@SECONDS".

    Raises a NotFingerprintable.
    """
    check_bytes(len(data), limits=limits)
    if is_video(data[:HEAD_BYTES]):
        raise UnknownFormat("This is a video, not a picture.")
    frames = decode_frames(data, limits=limits, reduce=True)
    picture = next(frames)
    scan, codes = certain_scan(
        picture.strips,
        width=picture.width,
        height=picture.height,
        step=picture.step,
        method=Method.FAST,
        keeps_plane=QueryLevel(level) is not QueryLevel.PLAIN,
    )
    views = views_of(scan, codes, width=picture.width, height=picture.height, level=QueryLevel(level))
    further = [
        QueryView(name, Fingerprint(Algorithm.PDQ, frame.pdq.code(), frame.pdq.quality))
        for name, frame in further_frames(frames, first=codes, method=Method.FAST)
    ]
    return picture.width, picture.height, (*views, *further)


def views_of(
    scan: PhotoScan, codes: PhotoCodes, *, width: int, height: int, level: QueryLevel
) -> tuple[QueryView, ...]:
    """The views of a finished scan that kept its plane (unless the level is plain): "full" first.

    The view "full" has both algorithms and all eight turns, which a catalog keeps; the others have pdq as it
    is.
    """
    whole = [QueryView("full", fingerprint) for fingerprint in codes.fingerprints()]
    if level is QueryLevel.PLAIN:
        return tuple(whole)
    seen = {Rectangle(0, 0, width, height)}
    parts = []
    for name, rectangle in _parts(scan, width=width, height=height, level=level):
        if rectangle in seen:
            continue
        seen.add(rectangle)
        turns = scan.view(rectangle)
        parts.append(QueryView(name, Fingerprint(Algorithm.PDQ, turns.code(), turns.quality)))
    return tuple(whole + parts)


def _parts(scan: PhotoScan, *, width: int, height: int, level: QueryLevel) -> Iterator[tuple[str, Rectangle]]:
    overview = overview_of(scan.plane(), width=width, height=height)
    if border := without_border(overview):
        yield "strip", border
    if inside := interface_rectangle(overview):
        yield "interface", inside
    for number, rectangle in enumerate(cut_rectangles(overview), start=1):
        yield f"cut{number}", rectangle
    if level is not QueryLevel.DEEP:
        return
    for name, (left, top, right, bottom) in _DEEP_PARTS.items():
        x, y = left * width // 2, top * height // 2
        part = Rectangle(x, y, right * width // 2 - x, bottom * height // 2 - y)
        if min(part.width, part.height) >= 5:
            yield name, part
    for name in _DEEP_VIEWS:
        if view := view_rectangle(name, width=width, height=height):
            yield name, view
