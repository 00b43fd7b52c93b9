"""Getting the raw table: the default data set over four routes, or a user's own file.

Whatever the route, the result is the canonical CSV, held to its SHA-256 before it
replaces anything. Progress is printed, each route has a time limit, and a failure
leaves nothing half-written.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from creditrisk.data.rawtable import canonicalise, read_table
from creditrisk.errors import UserError
from creditrisk.io import atomic

DEFAULT_SOURCE: Final = "uci"
VARIABLE: Final = "CREDIT_DATA"
UCI_URL: Final = "https://archive.ics.uci.edu/static/public/350/default+of+credit+card+clients.zip"
UCI_CONNECT_SECONDS, UCI_READ_SECONDS, UCI_TOTAL_SECONDS = 4, 10, 60
UCI_MAX_BYTES: Final = 30_000_000
PACKAGE: Final = "mercury-robust==1.2.1"
PACKAGE_MEMBER: Final = "mercury/robust/tutorials/data/credit/UCI_Credit_card.csv"
PACKAGE_MEMBER_SHA256: Final = "9e5c04a4331d1e7b7d11b5ce881f550d55c1932292eacfe3734dd4546888ddec"
PIP_SECONDS: Final = 120


class RouteError(Exception):
    """One route gave nothing; the message says why."""


def fetch(
    target: Path, *, source: str, sha256: str | None, columns: Mapping[str, str | None]
) -> None:
    """Write the canonical raw table.

    Parameters
    ----------
    target : Path
        The CSV to write, atomically.
    source : str
        ``uci`` for the default data set, else the path of a user's own table.
    sha256 : str or None
        For ``uci`` the hash of the canonical CSV; for a table of one's own the hash
        of that file, or None to go without (a warning shows the hash to paste).
    columns : mapping of str to (str or None)
        Names of the user's own → canonical names; only for a table of one's own.

    Raises
    ------
    UserError
        When no route gives the default data set (what was tried, why each failed,
        and the remedy), or when the user's file is absent, has another hash or
        other columns.
    """
    if source == DEFAULT_SOURCE:
        if sha256 is None:
            raise UserError("fetch.sha256: the default data set (fetch.source: uci) needs its hash")
        data = fetch_default(sha256)
    else:
        if os.environ.get(VARIABLE):
            _say(f"{VARIABLE} is set but not used, since fetch.source names a table of your own")
        data = read_own(Path(source).expanduser(), target, sha256=sha256, columns=columns)
    _write(target, data)
    _say(f"wrote {target} ({len(data):,} bytes, sha256 {_hash(data)})")


def fetch_default(sha256: str) -> bytes:
    """Return the default data set from the first route that has it.

    Parameters
    ----------
    sha256 : str
        Of the canonical CSV.

    Returns
    -------
    bytes
        The canonical CSV. It lies in the user's cache afterwards.

    Raises
    ------
    UserError
        When ``CREDIT_DATA`` names a file that is not this data set (a file that the
        user points at is never passed over silently), or when every route fails.
    """
    named = os.environ.get(VARIABLE)
    if named:
        try:
            data = _verified(read_named(Path(named).expanduser()), sha256)
        except RouteError as error:
            raise UserError(
                f"{VARIABLE}={named}: {error}. Point it at a copy of the UCI credit-card data "
                "(CSV, .xls or the UCI zip), or unset it to download one. A table of your own "
                "goes in through fetch.source in params.yaml."
            ) from None
        _fill_cache(sha256, data)
        return data
    tried = [f"{VARIABLE}: not set"]
    for title, route in ROUTES:
        _say(f"trying {title}")
        started = time.monotonic()
        try:
            data = _verified(route(sha256), sha256)
        except RouteError as error:
            _say(f"  no: {error} ({time.monotonic() - started:.1f} s)")
            tried.append(f"{title}: {error}")
            continue
        _say(f"  got it ({time.monotonic() - started:.1f} s)")
        _fill_cache(sha256, data)
        return data
    lines = "\n".join(f"  {i}. {line}" for i, line in enumerate(tried, start=1))
    raise UserError(
        f"the data set could not be fetched. Tried:\n{lines}\n"
        f"Remedy: get a copy on another machine (the zip at {UCI_URL}, or Kaggle's "
        f"UCI_Credit_Card.csv) and point {VARIABLE} at it, e.g.\n"
        f"  {VARIABLE}=/path/to/UCI_Credit_Card.csv make repro"
    )


def read_own(
    source: Path, target: Path, *, sha256: str | None, columns: Mapping[str, str | None]
) -> bytes:
    """Return a user's own table in the canonical form.

    Parameters
    ----------
    source, target : Path
        The user's file, and the file that will be written (it may not be the same).
    sha256 : str or None
        Of the user's file.
    columns : mapping
        See :func:`fetch`.

    Returns
    -------
    bytes
        Canonical CSV; missing values and text that is no number are left for the
        clean stage to judge.

    Raises
    ------
    UserError
        When the file is absent, is the target itself, has another hash or columns.
    """
    if source.resolve() == target.resolve():
        raise UserError(f"fetch.source: {source} is what this stage writes; give your file a name")
    try:
        data = source.read_bytes()
    except OSError as error:
        raise UserError(
            f"fetch.source: {source}: {error.strerror or error}. Give `{DEFAULT_SOURCE}` or a "
            "path from the repository's root, such as data/raw/my_dataset.csv."
        ) from None
    found = _hash(data)
    if sha256 is None:
        _say(f"warning: {source} is not held to a hash, so a changed file goes unnoticed; put")
        _say(f"  sha256: {found}")
        _say("under fetch in params.yaml")
    elif sha256 != found:
        raise UserError(
            f"fetch.sha256: {source} has sha256 {found}, params.yaml says {sha256}. "
            "If the file is meant to be as it is now, put its hash there."
        )
    try:
        return canonicalise(read_table(data, columns))
    except UserError as error:
        raise UserError(f"fetch.source: {source}: {error}") from None


# --- the routes -----------------------------------------------------------------


def read_named(path: Path) -> bytes:
    """Read the file that the user points at."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RouteError(error.strerror or str(error)) from None


def cache_file(sha256: str) -> Path:
    """Return where the user's cache keeps the table with this hash."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "creditrisk" / f"{sha256}.csv"


def read_cache(sha256: str) -> bytes:
    """Read the user's cache."""
    try:
        path = cache_file(sha256)
        return path.read_bytes()
    except FileNotFoundError:
        raise RouteError(f"{path} is not there") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory
        raise RouteError(str(error)) from None


def download_uci(sha256: str) -> bytes:
    """Download the UCI archive's zip, without retries."""
    # A resolver without a route can hang past every socket timeout, hence the thread.
    return _within(UCI_TOTAL_SECONDS, _stream_uci)


def _stream_uci() -> bytes:
    import requests

    deadline = time.monotonic() + UCI_TOTAL_SECONDS
    received = bytearray()
    try:
        with requests.get(
            UCI_URL, timeout=(UCI_CONNECT_SECONDS, UCI_READ_SECONDS), stream=True
        ) as reply:
            reply.raise_for_status()
            for chunk in reply.iter_content(1 << 16):
                received += chunk
                if len(received) > UCI_MAX_BYTES:
                    raise RouteError(f"the reply is larger than {UCI_MAX_BYTES:,} bytes")
                if time.monotonic() > deadline:
                    raise RouteError(f"not complete after {UCI_TOTAL_SECONDS} s")
    except requests.RequestException as error:
        raise RouteError(_short(error)) from None
    return bytes(received)


def download_package(sha256: str) -> bytes:
    """Let pip download the wheel that ships the table, and read the table out of it.

    The package is neither installed nor imported, so nothing of it runs.
    """
    with tempfile.TemporaryDirectory(prefix="creditrisk-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps"]
        command += ["--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
        command += ["--quiet", "--retries=1", "--timeout=15", f"--dest={folder}", PACKAGE]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=PIP_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RouteError(f"pip did not finish within {PIP_SECONDS} s") from None
        except OSError as error:
            raise RouteError(f"pip could not be started: {error}") from None
        if done.returncode:
            raise RouteError(
                f"pip ended with {done.returncode}: {_last_errors(done.stderr) or 'no message'}"
            )
        wheels = sorted(Path(folder).glob("*.whl"))
        if len(wheels) != 1:
            raise RouteError(f"pip brought {len(wheels)} wheels, expected one")
        return _read_member(wheels[0].read_bytes())


def _read_member(wheel: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            data = archive.read(PACKAGE_MEMBER)
    except (KeyError, zipfile.BadZipFile) as error:
        raise RouteError(f"the wheel of {PACKAGE} does not hold the table: {error}") from None
    if _hash(data) != PACKAGE_MEMBER_SHA256:
        raise RouteError(f"the table in the wheel of {PACKAGE} has another hash than expected")
    return data


ROUTES: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("user cache", read_cache),
    ("UCI archive", download_uci),
    (f"package index (pip download {PACKAGE})", download_package),
)
"""What follows ``CREDIT_DATA``, in order."""


# --- helpers --------------------------------------------------------------------


def _verified(data: bytes, sha256: str) -> bytes:
    """Return the canonical form of a file if it has the hash."""
    if _hash(data) == sha256:
        return data
    try:
        canonical = canonicalise(read_table(data))
    except UserError as error:
        raise RouteError(str(error)) from None
    if _hash(canonical) != sha256:
        raise RouteError(
            f"the table has other values than the data set: canonical sha256 {_hash(canonical)}, "
            f"expected {sha256}"
        )
    return canonical


def _fill_cache(sha256: str, data: bytes) -> None:
    """Keep a verified table for the next clone; a cache that cannot be written is no error."""
    try:
        path = cache_file(sha256)
        if not path.is_file() or _hash(path.read_bytes()) != sha256:
            _write(path, data)
    except (OSError, RuntimeError) as error:
        _say(f"the user cache could not be filled: {error}")


def _write(path: Path, data: bytes) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def _within(seconds: float, function: Callable[[], bytes]) -> bytes:
    """Run a function, giving up on it after some seconds."""
    outcome: list[bytes | BaseException] = []

    def work() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # handed to the caller below
            outcome.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        raise RouteError(f"no answer within {seconds:g} s")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _short(error: Exception) -> str:
    """Return the kind of a network error and the root of its nested causes."""
    root: BaseException = error
    while root.__cause__ or root.__context__:
        root = root.__cause__ or root.__context__ or root
    text = " ".join(str(root).split())
    return f"{type(error).__name__}: {text}"[:300]


def _last_errors(stderr: str) -> str:
    """Return the gist of pip's messages: its error lines, else its last one."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    return " ".join(dict.fromkeys(errors))[:300]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _say(text: str) -> None:
    print(f"fetch: {text}", flush=True)
