"""The fuzzers of the kernel build, find nothing in a few thousand runs, and would find a broken promise."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUZZERS = ROOT / "native" / "fuzz"
RUNS = {"photo": 2000, "digest": 5000, "index": 1500}

# The compiler alone is not enough: the sanitizers' libraries come in a package of their own.
HAS_LIBFUZZER = shutil.which("clang-14") is not None and list(
    Path("/usr/lib/llvm-14/lib/clang").glob("*/lib/linux/libclang_rt.fuzzer-*.a")
)
pytestmark = pytest.mark.skipif(not HAS_LIBFUZZER, reason="clang-14 or its libFuzzer is not installed")


@pytest.fixture(name="programs", scope="module")
def _programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzzers")
    subprocess.run([FUZZERS / "build.sh", folder], check=True, timeout=300)
    return folder


def _run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments], cwd=program.parent, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.parametrize("target", RUNS)
def test_fuzzer_finds_nothing(target: str, programs: Path) -> None:
    # When the same few thousand inputs are tried as ever. The limit is for one block of memory, not for the
    # whole: libFuzzer reads the peak that the system tells, and a child inherits that of the tests' process
    limits = ("-malloc_limit_mb=512", "-rss_limit_mb=0")
    run = _run(programs / f"fuzz-{target}", f"-runs={RUNS[target]}", "-seed=1", "-max_len=600", *limits)

    # Then no sanitizer spoke, no promise was broken, and the kernel was reached
    assert run.returncode == 0, run.stderr[-3000:]
    assert f"Done {RUNS[target]} runs" in run.stderr
    assert int(re.findall(r"cov: (\d+)", run.stderr)[-1]) > 20


def test_fuzzer_finds_a_kernel_that_reads_too_far(tmp_path: Path) -> None:
    # Given a copy of the digests that read a byte more than there is
    native = tmp_path / "native"
    shutil.copytree(ROOT / "native", native)
    source = (native / "digest.c").read_text()
    body = source.index("{", source.index("void sd_digest_update")) + 1
    (native / "digest.c").write_text(
        f"{source[:body]}\n  if (length && bytes[length] == 7) return;{source[body:]}"
    )
    out = tmp_path / "out"
    subprocess.run([native / "fuzz" / "build.sh", out, "digest"], check=True, timeout=300)

    # Then the fuzzer says so within a few runs
    run = _run(out / "fuzz-digest", "-runs=2000", "-seed=1", "-max_len=600")
    assert run.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in run.stderr
