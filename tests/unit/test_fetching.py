"""The raw table: header variants, the canonical form, the routes and what they say."""

from __future__ import annotations

import hashlib
import http.server
import io
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from creditrisk import fetching, schema
from creditrisk.data.rawtable import canonicalise, read_table
from creditrisk.errors import UserError
from tests.generated import raw_clients
from tests.spreadsheet import write_xls

CLIENTS = raw_clients(40, seed=3)
CANONICAL = CLIENTS.to_csv(index=False, lineterminator="\n").encode()
SHA256 = hashlib.sha256(CANONICAL).hexdigest()
NUMBERED = ["ID", *[f"X{i}" for i in range(1, 24)], "Y"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests away from the real cache and from a CREDIT_DATA that is set outside."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CREDIT_DATA", raising=False)


def csv(table: pd.DataFrame, names: list[str] | None = None, **options: object) -> bytes:
    named = table.set_axis(names, axis=1) if names else table
    return named.to_csv(index=False, **options).encode()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_DOT_", "."), data)
    return buffer.getvalue()


def uci_rows() -> list[list[object]]:
    names = [*schema.RAW_COLUMNS[:-1], "default payment next month"]
    return [[None, *NUMBERED[1:]], names, *CLIENTS.to_numpy().tolist()]


def renamed(**changes: str) -> list[str]:
    return [changes.get(c.replace(".", "_"), c) for c in schema.RAW_COLUMNS]


KAGGLE_FLOATS = csv(CLIENTS.astype(dict.fromkeys((schema.LIMIT, *schema.BILL_COLUMNS), float)))
VARIANTS = {
    "canonical": CANONICAL,
    "kaggle floats": KAGGLE_FLOATS,
    "rows in another order": csv(CLIENTS.sample(frac=1, random_state=1)),
    "columns in another order": csv(CLIENTS[CLIENTS.columns[::-1]]),
    "lower case": csv(CLIENTS, [c.lower() for c in schema.RAW_COLUMNS]),
    "PAY_1 for PAY_0": csv(CLIENTS, renamed(PAY_0="PAY_1")),
    "target Default": csv(CLIENTS, renamed(default_payment_next_month="Default")),
    "numbered mirror": csv(CLIENTS, NUMBERED),
    "numbered mirror, nameless key": csv(CLIENTS, ["", *NUMBERED[1:]]),
    "banner kept in CSV": csv(pd.DataFrame(uci_rows()), header=False),
    "semicolons, BOM, Windows line ends": b"\xef\xbb\xbf"
    + csv(CLIENTS, sep=";", lineterminator="\r\n"),
    "UCI spreadsheet": write_xls(uci_rows()),
    "UCI zip": zipped(default_DOT_xls=write_xls(uci_rows()), readme_DOT_txt=b"-"),
}


@pytest.mark.parametrize("data", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_ends_in_the_same_bytes(data: bytes) -> None:
    assert canonicalise(read_table(data)) == CANONICAL


def test_canonical_form_of_a_table_with_gaps_fractions_and_text() -> None:
    table = CLIENTS.head(3).astype(object)
    table.iloc[0, 1], table.iloc[1, 12], table.iloc[2, 5] = np.nan, 3.5, "forty"
    lines = canonicalise(read_table(csv(table.iloc[[2, 0, 1]]))).decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["ID", "1", "2", "3"]
    assert lines[1].split(",")[1] == ""  # a gap stays a gap beside whole numbers
    assert "." not in lines[2].split(",")[1]
    assert lines[2].split(",")[12] == "3.5"
    assert lines[3].split(",")[5] == "forty"  # clean judges it


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (renamed(AGE="years"), r"missing columns: AGE; unexpected columns: 'years'"),
        (
            [*renamed(PAY_2="PAY_1")],
            r"missing columns: PAY_2; PAY_0 is named 2 times: PAY_0, PAY_1",
        ),
        ([*renamed(), "notes"], r"unexpected columns: 'notes'"),
        ([*renamed(), "Y"], r"default\.payment\.next\.month is named 2 times"),
    ],
)
def test_other_headers_are_refused_by_name(names: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_table(f"{','.join(names)}\n{','.join('1' for _ in names)}\n".encode())


def test_names_of_ones_own_are_mapped_and_left_out() -> None:
    table = CLIENTS.rename(columns={"AGE": "years"}).assign(notes="x")
    columns = {"years": "AGE", "notes": None}
    assert canonicalise(read_table(csv(table), columns)) == CANONICAL
    with pytest.raises(UserError, match=r"fetch\.columns names columns that are not there: yeers"):
        read_table(csv(table), columns | {"yeers": "AGE"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<html>\n<p>sign in</p>\n</html>", "missing columns: ID"),
        (b"\xff\xfe\x00a,b\n1,2", "neither UTF-8 CSV nor .xls"),
        (zipped(a_DOT_csv=CANONICAL, b_DOT_csv=CANONICAL), "holds 2 CSV"),
        (b"PK\x03\x04 broken", "zip cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "cannot be read as CSV or .xls"),
    ],
)
def test_files_that_are_no_table_are_named_as_such(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_table(data)


# --- the routes -------------------------------------------------------------------


def no_route(reason: str) -> Callable[[str], bytes]:
    def route(sha256: str) -> bytes:
        raise fetching.RouteError(reason)

    return route


def use_routes(
    monkeypatch: pytest.MonkeyPatch, uci: Callable[[str], bytes], index: Callable[[str], bytes]
) -> None:
    routes = (("user cache", fetching.read_cache), ("UCI archive", uci), ("package index", index))
    monkeypatch.setattr(fetching, "ROUTES", routes)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def fetch_default(target: Path) -> None:
    fetching.fetch(target, source="uci", sha256=SHA256, columns={})


def test_routes_are_the_documented_ones_in_order() -> None:
    assert [title.split(" (")[0] for title, _ in fetching.ROUTES] == [
        "user cache",
        "UCI archive",
        "package index",
    ]


def test_the_next_route_is_taken_and_the_cache_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_routes(monkeypatch, no_route("no network"), lambda sha256: KAGGLE_FLOATS)
    fetch_default(tmp_path / "raw.csv")
    assert (tmp_path / "raw.csv").read_bytes() == CANONICAL
    assert files(tmp_path) == [f"cache/creditrisk/{SHA256}.csv", "raw.csv"]
    printed = capsys.readouterr().out
    assert printed.index("no network") < printed.index("trying package index")

    use_routes(monkeypatch, no_route("not asked"), no_route("not asked"))
    fetch_default(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == CANONICAL


def test_a_damaged_cache_is_passed_over_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = fetching.cache_file(SHA256)
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CANONICAL[:-20])
    use_routes(monkeypatch, no_route("no network"), lambda sha256: CANONICAL)
    fetch_default(tmp_path / "raw.csv")
    assert cached.read_bytes() == CANONICAL


def test_a_cache_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    use_routes(monkeypatch, no_route("no network"), lambda sha256: CANONICAL)
    fetch_default(tmp_path / "raw.csv")
    assert (tmp_path / "raw.csv").read_bytes() == CANONICAL
    assert "could not be filled" in capsys.readouterr().out


def test_when_all_fail_one_error_says_all_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = csv(CLIENTS.assign(AGE=CLIENTS["AGE"] + 1))
    use_routes(monkeypatch, no_route("no route to host"), lambda sha256: other)
    with pytest.raises(UserError) as caught:
        fetch_default(tmp_path / "raw.csv")
    message = str(caught.value)
    for part in (
        "1. CREDIT_DATA: not set",
        f"2. user cache: {fetching.cache_file(SHA256)} is not there",
        "3. UCI archive: no route to host",
        "4. package index: the table has other values",
        "CREDIT_DATA=/path/to/",
    ):
        assert part in message
    assert files(tmp_path) == []


@pytest.mark.parametrize("data", [CANONICAL, KAGGLE_FLOATS, VARIANTS["UCI zip"]])
def test_credit_data_goes_first_in_any_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setenv("CREDIT_DATA", str(tmp_path / "copy"))
    (tmp_path / "copy").write_bytes(data)
    use_routes(monkeypatch, no_route("not asked"), no_route("not asked"))
    fetch_default(tmp_path / "raw.csv")
    assert (tmp_path / "raw.csv").read_bytes() == CANONICAL


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (csv(CLIENTS.head(39)), "other values"),
        (b"a,b\n1,2\n", "missing columns: ID"),
    ],
)
def test_a_wrong_credit_data_is_an_error_and_no_reason_to_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, reason: str
) -> None:
    named = tmp_path / "copy.csv"
    if content is not None:
        named.write_bytes(content)
    monkeypatch.setenv("CREDIT_DATA", str(named))
    use_routes(monkeypatch, lambda sha256: CANONICAL, lambda sha256: CANONICAL)
    with pytest.raises(UserError, match=rf"CREDIT_DATA={named}: .*{reason}"):
        fetch_default(tmp_path / "raw.csv")
    assert files(tmp_path) == ([] if content is None else ["copy.csv"])


# --- the UCI route, against a server of our own -----------------------------------


class Archive(http.server.BaseHTTPRequestHandler):
    """Serves /good, is slow on /slow and answers 404 to the rest."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.6)
        body = VARIANTS["UCI zip"] if self.path == "/good" else b"no"
        self.send_response(200 if self.path == "/good" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Archive) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_archive_is_downloaded(archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "UCI_URL", f"{archive}/good")
    assert canonicalise(read_table(fetching.download_uci(SHA256))) == CANONICAL


def test_a_reply_that_is_too_large_is_cut_off(
    archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "UCI_URL", f"{archive}/good")
    monkeypatch.setattr(fetching, "UCI_MAX_BYTES", 100)
    with pytest.raises(fetching.RouteError, match="larger than 100 bytes"):
        fetching.download_uci(SHA256)


def test_an_error_of_the_archive_is_named(archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "UCI_URL", f"{archive}/gone")
    with pytest.raises(fetching.RouteError, match="404"):
        fetching.download_uci(SHA256)


def test_a_silent_archive_is_given_up_on(archive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "UCI_URL", f"{archive}/slow")
    monkeypatch.setattr(fetching, "UCI_TOTAL_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(fetching.RouteError, match="no answer within 0.2 s"):
        fetching.download_uci(SHA256)
    assert time.monotonic() - started < 0.5


def test_an_archive_out_of_reach_is_given_up_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetching, "UCI_URL", "http://127.0.0.1:9/none")
    started = time.monotonic()
    with pytest.raises(fetching.RouteError, match="ConnectionError"):
        fetching.download_uci(SHA256)
    assert time.monotonic() - started < fetching.UCI_CONNECT_SECONDS + 1


# --- the package route, against a pip of our own ----------------------------------


def fake_pip(
    monkeypatch: pytest.MonkeyPatch, *, wheel: bytes | None, code: int = 0, stderr: str = ""
) -> list[list[str]]:
    calls: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        folder = next(c.partition("=")[2] for c in command if c.startswith("--dest="))
        if wheel is not None:
            Path(folder, "package.whl").write_bytes(wheel)
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(fetching.subprocess, "run", run)
    return calls


def wheel_with(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(fetching.PACKAGE_MEMBER, data)
    return buffer.getvalue()


def test_the_table_is_read_out_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(KAGGLE_FLOATS).hexdigest()
    monkeypatch.setattr(fetching, "PACKAGE_MEMBER_SHA256", digest)
    calls = fake_pip(monkeypatch, wheel=wheel_with(KAGGLE_FLOATS))
    assert fetching.download_package(SHA256) == KAGGLE_FLOATS
    command = calls[0]
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:"} < set(command)
    assert not any("index-url" in part or "://" in part for part in command)


@pytest.mark.parametrize(
    ("wheel", "message"),
    [
        (wheel_with(CANONICAL), "another hash"),
        (zipped(other_DOT_csv=CANONICAL), "does not hold the table"),
        (b"no zip", "does not hold the table"),
        (None, "brought 0 wheels"),
    ],
)
def test_a_wheel_with_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, wheel: bytes | None, message: str
) -> None:
    fake_pip(monkeypatch, wheel=wheel)
    with pytest.raises(fetching.RouteError, match=message):
        fetching.download_package(SHA256)


def test_pips_own_words_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = "WARNING: retrying\nERROR: no matching distribution\n\nsome advice\n"
    fake_pip(monkeypatch, wheel=None, code=1, stderr=stderr)
    with pytest.raises(
        fetching.RouteError, match=r"^pip ended with 1: ERROR: no matching distribution$"
    ):
        fetching.download_package(SHA256)


def test_a_pip_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **options: float) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(fetching.subprocess, "run", run)
    with pytest.raises(fetching.RouteError, match=f"within {fetching.PIP_SECONDS} s"):
        fetching.download_package(SHA256)


# --- the real routes ----------------------------------------------------------------


@pytest.mark.network
@pytest.mark.parametrize("route", fetching.ROUTES[1:], ids=["uci", "index"])
def test_the_real_route_brings_the_data_set(route: tuple[str, Callable[[str], bytes]]) -> None:
    title, download = route
    try:
        data = download(schema.CANONICAL_SHA256)
    except fetching.RouteError as error:
        pytest.skip(f"{title} is out of reach: {error}")
    found = hashlib.sha256(canonicalise(read_table(data))).hexdigest()
    assert found == schema.CANONICAL_SHA256


# --- a table of the user's own --------------------------------------------------------


def test_an_own_table_without_hash_is_taken_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "my_dataset.csv"
    own.write_bytes(KAGGLE_FLOATS)
    fetching.fetch(tmp_path / "raw.csv", source=str(own), sha256=None, columns={})
    assert (tmp_path / "raw.csv").read_bytes() == CANONICAL
    digest = hashlib.sha256(KAGGLE_FLOATS).hexdigest()
    assert f"sha256: {digest}" in capsys.readouterr().out
    assert files(tmp_path) == ["my_dataset.csv", "raw.csv"]  # the cache is for the default data

    fetching.fetch(tmp_path / "raw.csv", source=str(own), sha256=digest, columns={})
    assert "warning" not in capsys.readouterr().out


def test_an_own_table_that_changed_is_refused_and_the_old_result_stays(tmp_path: Path) -> None:
    own, target = tmp_path / "my_dataset.csv", tmp_path / "raw.csv"
    own.write_bytes(CANONICAL)
    target.write_text("old")
    digest = hashlib.sha256(CANONICAL).hexdigest()
    with pytest.raises(UserError, match=rf"fetch\.sha256: .* has sha256 {digest}"):
        fetching.fetch(target, source=str(own), sha256="0" * 64, columns={})
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.csv", r"fetch\.source: .*No such file.*data/raw/my_dataset\.csv"),
        ("raw.csv", "is what this stage writes"),
    ],
)
def test_an_own_path_that_cannot_be_is_explained(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        fetching.fetch(tmp_path / "raw.csv", source=str(tmp_path / source), sha256=None, columns={})
