"""What a measurement was made on; printed beside every ratio. Source: reliability 1.6."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from contextlib import closing
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from infra.database import Database
from infra.services.artefacts import KAFKA_VERSION
from leerp.bench.kept import conninfo

SYNCS = 100
PRAGMAS = ("journal_mode", "synchronous", "cache_size", "wal_autocheckpoint", "page_size")
POSTGRES_SETTINGS = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
PACKAGES = ("aiokafka", "sqlalchemy", "psycopg", "pydantic", "temporalio")


def describe(folder: Path) -> dict[str, Any]:
    """Processor, load, versions, the pragmas in force, and what a sync of ``folder`` costs."""
    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "pragmas": _pragmas(folder),
        "fdatasync_us": round(_fdatasync(folder) * 1e6),
    }


def describe_postgres(server: str) -> dict[str, Any]:
    """Version and durability of the server at this URL without a database's name."""
    with psycopg.connect(conninfo(f"{server}/postgres"), autocommit=True) as connection:
        return {
            name: (connection.execute(f"SHOW {name}".encode()).fetchone() or (None,))[0]
            for name in POSTGRES_SETTINGS
        }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _pragmas(folder: Path) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        closing(Database(f"sqlite:///{place}/pragmas.db")) as database,
        database.write() as connection,
    ):
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in PRAGMAS}


def _fdatasync(folder: Path) -> float:
    """Median seconds of a 4 kB write with its sync."""
    spent = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - begun)
    return median(spent)
