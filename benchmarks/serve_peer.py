"""The least that HMA does for a lookup, to measure beside it: Flask, one gunicorn worker, PDQIndex, JSON.

HMA itself asks PostgreSQL three times for each lookup that hits and has more layers, so this is faster than
HMA. Run by serve.py: gunicorn loads `application()`; PEER_CODES names the file with the codes.
"""

from __future__ import annotations

import os

import faiss
import numpy as np
from flask import Flask, request
from threatexchange.signal_type.pdq.pdq_index import PDQIndex


def application() -> Flask:
    """The server, with the index built."""
    faiss.omp_set_num_threads(1)
    codes = np.load(os.environ["PEER_CODES"])
    index = PDQIndex.build([(code.tobytes().hex(), number) for number, code in enumerate(codes)])
    app = Flask(__name__)

    @app.get("/m/lookup")
    def lookup() -> dict[str, list[dict[str, object]]]:
        found = index.query(request.args["signal"])
        return {
            "BANK": [
                {"bank_content_id": hit.metadata, "distance": str(hit.similarity_info.distance)}
                for hit in found
            ]
        }

    @app.get("/status")
    def status() -> str:
        return "I-AM-ALIVE"

    return app
