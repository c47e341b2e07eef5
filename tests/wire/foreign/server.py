"""PyPI's websockets as a JSON-RPC server: `echo` answers with its parameters, `close` and `terminate` end the connection."""
import asyncio
import json
import time

from websockets.asyncio.server import serve


async def handle(socket):
    async for message in socket:
        request = json.loads(message)
        if request["method"] == "close":
            await socket.close(1012, "restarting")
        elif request["method"] == "terminate":
            socket.transport.abort()
        else:
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": request["params"]}))


async def main():
    async with serve(handle, "127.0.0.1", 0, max_size=8 << 20) as server:
        print(time.time_ns() // 1000, "listening", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
