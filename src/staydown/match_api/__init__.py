"""The door for upload checks: a small ASGI application that keeps the bank in memory. No Django.

Refuses to keep a picture, and to write a fingerprint, a digest or a token into a log.
"""

from staydown.match_api.app import UploadCheck, create_app
from staydown.match_api.openapi import openapi_paths
from staydown.match_api.settings import MatchApiSettings

__all__ = ["MatchApiSettings", "UploadCheck", "create_app", "openapi_paths"]
