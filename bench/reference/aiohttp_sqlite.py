"""The batch script that people write by hand: aiohttp, workers on a queue, one SQLite commit per
result. Usage: aiohttp_sqlite.py INPUT DATABASE BASE_URL WORKERS SYNCHRONOUS

SYNCHRONOUS is SQLite's: "full" makes every answer durable at once, as llmbatch does; "normal" spares
the fsync and loses answers when the power fails."""
import asyncio
import json
import sqlite3
import sys

import aiohttp

RETRIES = 5


def open_database(path, synchronous):
    database = sqlite3.connect(path)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = " + synchronous)
    database.execute(
        "create table if not exists results (id text primary key, output text, response text)")
    return database


async def call(session, url, item):
    body = {"model": "bench", "messages": [{"role": "user", "content": item["prompt"]}]}
    for attempt in range(RETRIES):
        try:
            async with session.post(url, json=body) as response:
                text = await response.text()
                if response.status == 200:
                    return text
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(2 ** attempt)
    raise RuntimeError(f"{item['id']}: no answer")


async def work(queue, session, url, database):
    while True:
        item = await queue.get()
        if item is None:
            return
        text = await call(session, url, item)
        output = json.loads(text)["choices"][0]["message"]["content"]
        database.execute(
            "insert or replace into results values (?, ?, ?)", (item["id"], output, text))
        database.commit()


async def main():
    path, database_path, base_url, workers, synchronous = sys.argv[1:6]
    workers = int(workers)
    database = open_database(database_path, synchronous)
    done = {row[0] for row in database.execute("select id from results")}
    queue = asyncio.Queue(2 * workers)
    connector = aiohttp.TCPConnector(limit=workers)
    async with aiohttp.ClientSession(connector=connector) as session:
        url = base_url + "/chat/completions"
        tasks = [
            asyncio.create_task(work(queue, session, url, database)) for _ in range(workers)]
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                item = json.loads(line)
                if item["id"] not in done:
                    await queue.put(item)
        for _ in range(workers):
            await queue.put(None)
        await asyncio.gather(*tasks)


asyncio.run(main())
