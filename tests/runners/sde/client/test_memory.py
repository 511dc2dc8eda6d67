"""A large report file costs no memory."""

import asyncio
import json
import os
import subprocess
import sys
import textwrap

SIZE = 500 * 1024 * 1024

SENDER = textwrap.dedent("""
    import asyncio, json, sys
    from pathlib import Path
    from config.definitions import SdeServer
    from config.secrets import Secret
    from runners.api import Stop
    from runners.sde.client import Client
    from runners.sde.files import opened
    from runners.sde.wire import FileImport

    def peak():
        \"\"\"Of this program alone, in KiB: getrusage also counts what was there before it began.\"\"\"
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

    async def main(url, small, large):
        server = SdeServer(type="sde", url=url, token=Secret("env", "T"))
        client = Client(server, folder=Path("/"), environ={"T": "t"})
        peaks = []
        for path in (small, large):
            async with opened(Path(path), Stop(), {}) as source:
                await client.upload(FileImport(file_name=source.name, system="s", project=7), source)
            peaks.append(peak())
        await client.aclose()
        print(json.dumps(peaks))

    asyncio.run(main(*sys.argv[1:]))
""")


async def test_a_file_of_500_mb_costs_no_memory(tmp_path):
    """The peak of a process that has sent 16 MB grows by less than 16 MB when it sends 500 MB."""
    taken = []

    async def take(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            left = length = int(head.lower().partition(b"content-length:")[2].split()[0])
            while left:
                left -= len(await reader.read(min(left, 1 << 20)))
            taken.append(length)
            body = json.dumps({"id": 1, "connection": 5, "ready": False}).encode()
            writer.write(b"HTTP/1.1 201 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def serve(reader, writer):
        try:
            await take(reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    for name, size in (("small.fpr", 16 * 1024 * 1024), ("large.fpr", SIZE)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    files = [str(tmp_path / name) for name in ("small.fpr", "large.fpr")]
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SENDER, url, *files, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.getcwd()}
        )  # fmt: skip
        out, _ = await child.communicate()
    finally:
        server.close()
    before, after = json.loads(out)
    assert taken[1] > SIZE
    assert after - before < 16 * 1024, f"{before} KiB -> {after} KiB"
