"""The page from a sentence to a local head: its commands, one after the other, as a reader types them."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "how-to" / "rules-in-plain-words.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = "8199"


def commands(page: Path) -> list[str]:
    """Return the commands of a page's console blocks; a line that ends in a backslash goes on."""
    text = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return [line.removeprefix("$ ").strip() for line in text.splitlines() if line.startswith("$ ")]


class Reader:
    """Types commands in the root of the repository; what the page calls demo/ is a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = str(free_port())
        config = (ROOT / "examples" / "plain-words" / "agpis.toml").read_text(encoding="utf-8")
        (folder / "agpis.toml").write_text(self._own(config), encoding="utf-8")
        self.servers: list[subprocess.Popen[bytes]] = []

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; one that ends in & runs on."""
        words = shlex.split(self._own(command).removesuffix("&"))
        words[0] = str(Path(sys.executable).parent / words[0])
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
        if command.endswith("&"):
            self.servers.append(subprocess.Popen(words, cwd=ROOT))
            wait_for(int(self.port))
            return subprocess.CompletedProcess(words, 0, "", "")
        return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def leave(self) -> None:
        """Stop what runs on."""
        for server in self.servers:
            server.terminate()
            server.wait()

    def _own(self, text: str) -> str:
        text = text.replace("examples/plain-words/agpis.toml", str(self.folder / "agpis.toml"))
        return re.sub(r"(?<![\w/-])demo/", f"{self.folder}/", text).replace(PORT, self.port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until something listens; fail where nothing does within a minute."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the endpoint did not start")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.leave()


@pytest.mark.timeout(1800)
def test_the_page_s_commands_work_in_their_order(reader: Reader) -> None:
    typed = commands(PAGE)
    assert len(typed) >= 9

    for command in typed:
        finished = reader.type(command)

        # 1 says that something was found, or not judged: both happen on the page.
        assert finished.returncode in (0, 1), finished.stderr
        assert "Traceback" not in finished.stderr
