"""One end of a slow and lossy cable: a TUN device whose packets go to and from the other end by stdin and stdout.

Arguments: name of the device, delay in milliseconds, loss in per cent, seed. Linux has `tc netem` for this, where the
kernel was built with it.
"""
import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

name, delay, loss, seed = sys.argv[1], float(sys.argv[2]) / 1000, float(sys.argv[3]) / 100, int(sys.argv[4])
dice = random.Random(seed)
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
on_the_way = collections.deque()  # when each arrives, and what
incoming = b""

while True:
    wait = max(0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
    readable, _, _ = select.select([tun, 0], [], [], wait)
    if tun in readable:
        packet = os.read(tun, 65536)
        if dice.random() >= loss:
            on_the_way.append((time.monotonic() + delay, packet))
    if 0 in readable:
        piece = os.read(0, 65536)
        if not piece:
            break
        incoming += piece
        while len(incoming) >= 2 and len(incoming) >= 2 + (length := struct.unpack(">H", incoming[:2])[0]):
            try:
                os.write(tun, incoming[2:2 + length])
            except OSError:
                pass  # the device is not up yet
            incoming = incoming[2 + length:]
    while on_the_way and on_the_way[0][0] <= time.monotonic():
        _, packet = on_the_way.popleft()
        os.write(1, struct.pack(">H", len(packet)) + packet)
