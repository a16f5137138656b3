"""What a call brings, whichever way: fingerprints, a form with media, the media itself, or its address.

Refuses what is none of them, and looks at nothing before the caller is known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec

from staydown.fingerprint import QueryFingerprints, QueryLevel
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.match_api.body import BodyReader
from staydown.match_api.call import Call
from staydown.match_api.decoding import MediaDecoder
from staydown.match_api.fetch_hosts import Target
from staydown.match_api.fetching import MediaFetcher
from staydown.match_api.form import FormReader
from staydown.match_api.meter import SentBy
from staydown.match_api.reading import checked_level, checked_text, request_of_json, upload_of
from staydown.match_api.refusals import invalid_request, not_processable, unsupported_type
from staydown.match_api.settings import MatchApiSettings
from staydown.match_api.terms import CheckRequest, Upload

FORM, JSON = "multipart/form-data", "application/json"
# Of a body that is the media itself. Which type it really is, the media says.
MEDIA_TYPES = ("image/*", "video/*", "application/octet-stream")
MEDIA_PARAMETERS = ("content_id", "content_url", "level")


@dataclass(slots=True)
class Sent:
    """What was sent and is understood; `upload` of fingerprints at once, of media once it is read."""

    by: SentBy
    level: QueryLevel
    upload: Upload | None = None
    media: bytes = b""
    target: Target | None = None
    own_port: int | None = None
    texts: dict[str, str | None] = field(default_factory=dict)

    def meaning(self) -> bytes:
        """What makes two requests the same; not their bytes: a form's boundary is another each time."""
        if self.upload is not None:
            return msgspec.json.encode(_codes_of(self.upload))
        place = self.target.url if self.target is not None else ""
        digest = hashlib.sha256(self.media).hexdigest()
        return msgspec.json.encode([digest, place, self.level, sorted(self.texts.items())])


class Intake:
    """Reads calls, and makes an upload of what they sent."""

    def __init__(self, settings: MatchApiSettings, decoder: MediaDecoder, fetcher: MediaFetcher) -> None:
        self._settings = settings
        self._decoder = decoder
        self._fetcher = fetcher

    async def read(self, call: Call, reader: BodyReader) -> Sent:
        """What the call brings; no media is decoded or fetched yet. Raises Refused."""
        content_type = call.content_type
        if content_type == JSON:
            body = await reader.whole("A check in JSON", max_bytes=self._settings.max_json_bytes)
            request = request_of_json(body)
            if request.media_url is None:
                return Sent(SentBy.FINGERPRINTS, self._settings.query_level, upload_of(request))
            return self._of_address(request, request.media_url, call)
        if content_type == FORM:
            return await self._of_form(call, reader)
        if content_type.startswith(("image/", "video/")) or content_type == MEDIA_TYPES[-1]:
            return await self._of_media(call, reader)
        raise unsupported_type(FORM, JSON, *MEDIA_TYPES)

    async def upload(self, sent: Sent, reader: BodyReader) -> Upload:
        """The upload by which the bank is asked. Raises Refused."""
        if sent.upload is not None:
            return sent.upload
        return upload_of_media(await self.of_media(sent, reader), sent)

    async def of_media(self, sent: Sent, reader: BodyReader) -> QueryFingerprints | VideoFingerprints:
        """What the media is compared by. Raises Refused, also if fingerprints were sent."""
        if sent.upload is not None:
            raise not_processable("Send media, or `media_url`: fingerprints are known already.")
        media, sent.media = sent.media, b""
        if sent.target is not None:
            media = await self._fetcher.fetch(sent.target, reader, own_port=sent.own_port)
        return await self._decoder.query(media, sent.level)

    def _of_address(self, request: CheckRequest, url: str, call: Call) -> Sent:
        server = call.scope.get("server")
        return Sent(
            SentBy.URL,
            request.level or self._settings.query_level,
            target=self._fetcher.target(url),
            own_port=server[1] if server else None,
            texts=_checked_texts({"content_id": request.content_id, "content_url": request.content_url}),
        )

    async def _of_form(self, call: Call, reader: BodyReader) -> Sent:
        form_reader = FormReader(call.header(b"content-type") or "", max_parts=self._settings.max_parts)
        most = self._settings.max_body_bytes
        await reader.pieces(form_reader.write, "A form with a picture", max_bytes=most)
        form = form_reader.finish()
        if form.media is None:
            raise not_processable('The form has no part named "media".', slug="media-missing")
        media, form.media = bytes(form.media), None
        return self._of_bytes(media, form.texts)

    async def _of_media(self, call: Call, reader: BodyReader) -> Sent:
        texts = _parameters(call.query)
        media = await reader.whole("A picture or a video", max_bytes=self._settings.max_body_bytes)
        return self._of_bytes(media, texts)

    def _of_bytes(self, media: bytes, texts: dict[str, str]) -> Sent:
        level = checked_level(texts.pop("level", None), default=self._settings.query_level)
        return Sent(SentBy.MEDIA, level, media=media, texts=_checked_texts(texts))


def upload_of_media(found: QueryFingerprints | VideoFingerprints, sent: Sent) -> Upload:
    """The upload that was found in media."""
    return Upload(
        views=found.views if isinstance(found, QueryFingerprints) else (),
        frames=found.frames if isinstance(found, VideoFingerprints) else (),
        sha256=found.digests.sha256,
        md5=found.digests.md5,
        content_id=sent.texts.get("content_id"),
        content_url=sent.texts.get("content_url"),
        media=found.media,
        level=sent.level,
    )


def _parameters(query: bytes) -> dict[str, str]:
    """The parameters behind the question mark that are known, each once; others are ignored."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError:
        raise invalid_request("The parameters behind the question mark cannot be read.") from None
    known = [(name, value) for name, value in pairs if name in MEDIA_PARAMETERS]
    if len(dict(known)) < len(known):
        raise invalid_request("A parameter is there twice.")
    return dict(known)


def _checked_texts(texts: dict[str, str] | dict[str, str | None]) -> dict[str, str | None]:
    return {name: checked_text(name, text) for name, text in texts.items()}


def _codes_of(upload: Upload) -> list[object]:
    codes = [
        (view.name, view.fingerprint.algorithm.value, view.fingerprint.hex, view.fingerprint.quality)
        for view in upload.views
    ]
    frames = [
        (frame.at_seconds, frame.fingerprint.derivation, frame.fingerprint.hex, frame.fingerprint.quality)
        for frame in upload.frames
    ]
    return [codes, frames, upload.sha256, upload.md5, upload.content_id, upload.content_url]
