"""The usual hand-written rate limiter: a token bucket that starts full, asyncio and a semaphore.
Usage: naive_limiter.py INPUT BASE_URL RPM WORKERS. Refused requests are not repeated."""
import asyncio
import json
import sys
import time

import aiohttp


async def call(session, url, prompt):
    body = {"model": "bench", "messages": [{"role": "user", "content": prompt}]}
    async with session.post(url, json=body) as response:
        await response.read()


async def main():
    path, base_url, rpm, workers = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    capacity = available = float(rpm)
    last = time.monotonic()
    running = set()
    semaphore = asyncio.Semaphore(workers)
    connector = aiohttp.TCPConnector(limit=workers)
    async with aiohttp.ClientSession(connector=connector) as session:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                while True:
                    now = time.monotonic()
                    available = min(capacity, available + (now - last) * rpm / 60)
                    last = now
                    if available >= 1:
                        break
                    await asyncio.sleep(0.001)
                available -= 1
                await semaphore.acquire()
                task = asyncio.create_task(
                    call(session, base_url + "/chat/completions", json.loads(line)["prompt"]))
                running.add(task)
                task.add_done_callback(lambda done: (running.discard(done), semaphore.release()))
        await asyncio.gather(*running)


asyncio.run(main())
