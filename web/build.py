"""Joins the device code into classic worker files, so that a policy can forbid each every other script.

No bundler: the sources in web/device are plain ES modules that Node can run one by one; here their
imports are dropped and their bodies joined in order. It refuses names declared twice, imports of anything
else, and words that could reach a network. Run it by script/build-web; the result is committed, with its
digest.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
WORKER = "fingerprint-worker.js"
# Each file uses only names of files before it.
DEVICE_SOURCES = [
    "refusal.js",
    "code-js.js",
    "operator-js.js",
    "kernel-js.js",
    "digest-js.js",
    "kernel-wasm.js",
    "views.js",
    "registration.js",
    "file-tags.js",
    "picture-header.js",
    "upright.js",
    "decode.js",
    "other-decoder.js",
    "frames.js",
    "selftest.js",
    "worker.js",
]
DECODER_SOURCES = [
    "refusal.js",
    "upright.js",
    "decode.js",
    "file-tags.js",
    "colour-profile.js",
    "decoder-port.js",
]
# The workers, each with its sources in order. A name in vendor/ is a bundle: web/vendor/NAME/NAME.js, made by
# script/vendor-web.
WORKERS = {
    WORKER: DEVICE_SOURCES,
    "decode-worker.js": [
        "vendor/colour.js",
        "vendor/decoders.js",
        *DECODER_SOURCES,
        "png.js",
        "gif.js",
        "decode-worker.js",
    ],
    "crypt-worker.js": ["vendor/age.js", "refusal.js", "notes-tar.js", "crypt-worker.js"],
    "heic-worker.js": ["vendor/colour.js", "vendor/heic.js", *DECODER_SOURCES, "heic-worker.js"],
}
# What the sources import, and this program makes: the kernels, and which codes are registered of a picture.
MADE = {"wasm-bytes.js", "derivation-set.js"}
DERIVATIONS = WEB.parent / "data" / "fingerprint" / "derivations.json"
WORD_LIST = WEB.parent / "data" / "words" / "en.txt"
DEFAULT_SET = "crops32"  # staydown.fingerprint.DEFAULT_SET; a test holds them together
KERNELS = {"WASM_SIMD_BASE64": "staydown.simd.wasm", "WASM_BASE_BASE64": "staydown.base.wasm"}

IMPORT = re.compile(r"^import \{[^}]*\} from '\./((?:vendor/)?[\w-]+\.js)';[^\n]*\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|class|const)\b)", re.MULTILINE)
DECLARED = re.compile(r"^(?:async function\*?|function\*?|class|const|let)\s+(\w+)", re.MULTILINE)
NETWORK_WORDS = re.compile(
    r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|WebTransport|sendBeacon|RTCPeerConnection|importScripts"
    r"|SharedWorker|BroadcastChannel|caches|indexedDB|eval|Function)\b"
    r"|\bimport\s*\(|\bnew Worker\b"
)
HEAD = """\
// Made by web/build.py from web/device/*.js, web/vendor, web/kernel and data/fingerprint/derivations.json.
// Do not edit; run script/build-web.
// It must be served with its own header (staydown.config.csp.WORKER_CSP):
// Content-Security-Policy: default-src 'none'; script-src 'wasm-unsafe-eval'
'use strict';
(() => {
"""
TAIL = "})();\n"


class BuildRefused(Exception):
    """The sources break a rule of the joined file; the message says which."""


def kernel_constants(kernel_dir: Path) -> str:
    """The two kernels as JavaScript constants."""
    lines = []
    for name, file_name in KERNELS.items():
        encoded = base64.b64encode((kernel_dir / file_name).read_bytes()).decode("ascii")
        lines.append(f"const {name} =\n  '{encoded}';\n")
    return "".join(lines)


def derivation_constant(derivations: Path) -> str:
    """The default derivation set as a JavaScript constant. Raises BuildRefused if it is not there."""
    sets = json.loads(derivations.read_text(encoding="utf-8"))["sets"]
    chosen = sets.get(DEFAULT_SET, {})
    if set(chosen) != {"pdq", "pdq512"}:
        raise BuildRefused(f"{derivations.name} has no set {DEFAULT_SET} of pdq and pdq512")
    names = ",\n".join(f"  {json.dumps(algorithm)}: {json.dumps(chosen[algorithm])}" for algorithm in chosen)
    return f"const DERIVATION_SET = {{\n{names}\n}};\n"


def joined_worker(kernel_dir: Path, derivations: Path, name: str = WORKER) -> str:
    """A worker's text. Raises BuildRefused."""
    made = kernel_constants(kernel_dir) + derivation_constant(derivations) if name == WORKER else ""
    vendored = [vendored_text(source) for source in WORKERS[name] if source.startswith("vendor/")]
    code = own_code(WORKERS[name])
    check_declared_once(code)
    check_reaches_no_network(code)
    return HEAD + made + "".join(vendored) + code + TAIL


def own_code(sources: list[str]) -> str:
    """The sources of web/device, joined. Raises BuildRefused for imports that do not come before."""
    code = ""
    seen: set[str] = set()
    for name in sources:
        if name.startswith("vendor/"):
            seen.add(name)
            continue
        source = (WEB / "device" / name).read_text(encoding="utf-8")
        for imported in IMPORT.findall(source):
            if imported not in seen | MADE:
                raise BuildRefused(f"{name} imports {imported}, which does not come before it")
        seen.add(name)
        body = EXPORT.sub("", IMPORT.sub("", source))
        if re.search(r"^\s*(import|export)\b", body, re.MULTILINE):
            raise BuildRefused(f"{name} has an import or export of a form that is not understood")
        code += f"\n// ---- {name}\n{body}"
    return code


def vendored_text(source: str) -> str:
    """The bundle behind a name like vendor/heic.js. Raises BuildRefused for a word that reaches a network.

    Unlike our own code it is searched with its comments: what looks like one may lie in a string.
    """
    name = source.removeprefix("vendor/").removesuffix(".js")
    text = (WEB / "vendor" / name / f"{name}.js").read_text(encoding="utf-8")
    found = NETWORK_WORDS.search(text)
    if found:
        raise BuildRefused(f"web/vendor/{name} may not use {found.group(0)!r}")
    return text


def check_declared_once(code: str) -> None:
    """Raises BuildRefused if two sources declare the same name at the top."""
    names = DECLARED.findall(code)
    made = {*KERNELS, "DERIVATION_SET"}
    twice = sorted({name for name in names if names.count(name) > 1} | made.intersection(names))
    if twice:
        raise BuildRefused(f"declared twice: {', '.join(twice)}")


def check_reaches_no_network(code: str) -> None:
    """Raises BuildRefused if a word appears outside comments that could reach a network or keep data."""
    without_comments = re.sub(r"//[^\n]*|/\*.*?\*/", "", code, flags=re.DOTALL)
    found = NETWORK_WORDS.search(without_comments)
    if found:
        raise BuildRefused(f"the worker may not use {found.group(0)!r}")


def words_module(words: Path) -> str:
    """The words of key phrases as a module for web/case-key.js."""
    lines = words.read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if line and not line.startswith("#")]
    head = f"// Made by web/build.py from data/words/{words.name}, which says whose words they are."
    return f"{head}\nexport const WORDS = {json.dumps(' '.join(chosen))}.split(' ');\n"


def digests(made: dict[str, str]) -> str:
    """The digests of every script that this site serves to a page or starts as a worker, sorted by name.

    In the format that `sha256sum --check` reads, relative to web/. `made` holds the texts that this program
    makes, by name; other files of web/dist, made by script/vendor-web, are read where they lie.
    """
    contents = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in WEB.glob("*.js")}
    contents |= {f"dist/{path.name}": path.read_bytes() for path in (WEB / "dist").glob("*.js")}
    contents |= {f"dist/{name}": text.encode() for name, text in made.items()}
    lines = ((hashlib.sha256(content).hexdigest(), name) for name, content in sorted(contents.items()))
    return "".join(f"{digest}  {name}\n" for digest, name in lines)


def main(arguments: list[str] | None = None) -> int:
    """Writes web/dist, or with --check says whether it is what the sources give."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    parser.add_argument("--kernel", type=Path, default=WEB / "kernel", help="folder of the two .wasm files")
    parser.add_argument("--derivations", type=Path, default=DERIVATIONS, help="the derivation sets")
    parser.add_argument("--into", type=Path, default=WEB / "dist", help="folder to write")
    options = parser.parse_args(arguments)
    made = {name: joined_worker(options.kernel, options.derivations, name) for name in WORKERS}
    made["words.js"] = words_module(WORD_LIST)
    stale = []
    for name, text in (*made.items(), ("SHA256SUMS", digests(made))):
        path = options.into / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(("differs from its sources: " if options.check else "written: ") + ", ".join(stale))
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
