"""``leerp bridge``: reports out of IntelMQ and MISP, sent on as they come."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from infra.database import Database
from infra.kafka import topic_of
from infra.services.home import make_home
from infra.settings import Settings
from intake.bridges.forwarding import Forwarded, Forwarder, bridge_id
from intake.bridges.holding import holding
from intake.bridges.intelmq_file import EventFile
from intake.bridges.intelmq_queue import SCHEMES, EventQueue, QueueAddress
from intake.bridges.misp_feed import MANIFEST, Feed
from intake.client_file import read_client_file
from intake.producer import ReportProducer
from leerp.home import open_app
from leerp.options import HOME, Home, Json
from leerp.output import REFUSED, err, out, visible
from protocol.errors import Refused
from protocol.parties import DetectedBy, SourceGroup

bridge_app = typer.Typer(no_args_is_help=True)

Group = Annotated[
    SourceGroup | None, typer.Option("--group", help="Source group of the home's Kafka; other.")
]
Client = Annotated[
    Path | None, typer.Option("--client", help="Send as a partner, with this client file.")
]
Found = Annotated[
    DetectedBy | None, typer.Option("--detected-by", help="For group osint: how it was found (R5).")
]
Follow = Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")]
Work = Callable[["_Bridge", Forwarder, asyncio.Event], Awaitable[None]]


@dataclass(slots=True)
class _Bridge:
    """What a running bridge works with, and what it has told so far."""

    home: Path
    database: Database
    producer: ReportProducer
    max_record: int
    follow: bool
    as_json: bool
    published: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tell(self, done: Forwarded) -> None:
        """Count a batch; when following, say so at once."""
        self.published += done.published
        self.refused += done.refused
        self.notes += [done.note] if done.note else []
        if self.follow:
            self._show(done.published, done.refused, [done.note] if done.note else [])

    def tell_all(self) -> None:
        """Say at the end what was done; when following that was said already."""
        if not self.follow:
            self._show(self.published, self.refused, self.notes)

    def _show(self, published: int, refused: list[dict[str, str]], notes: list[str]) -> None:
        if self.as_json:
            shown = {"published": published, "refused": refused, "notes": notes}
            typer.echo(json.dumps(shown))
            return
        for each in refused:
            said = visible(f"{each['place']}: {each['message']}")
            err.print(f"[bold red]{each['reason']}:[/] {escape(said)}")
        for note in notes:
            err.print(escape(note))
        if published or not self.follow:
            out.print(f"published {published} to {self.producer.topic}")


@bridge_app.command("intelmq")
def intelmq(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|redis://HOST:PORT/DB?queue=NAME",
            envvar="LEERP_BRIDGE_SOURCE",
            help="File of the file output bot, or list of the Redis output bot.",
        ),
    ],
    group: Group = None,
    client: Client = None,
    detected_by: Found = None,
    follow: Follow = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Send IntelMQ's events: each once it is whole, none left out."""
    queue = QueueAddress.parse(source) if source.split("://")[0] in SCHEMES else None
    path = None if queue else _file(source)

    async def work(bridge: _Bridge, forwarder: Forwarder, stop: asyncio.Event) -> None:
        if queue is not None:
            await EventQueue(queue, forwarder).run(bridge.tell, stop=stop, follow=follow)
        if path is not None:
            named = bridge_id("intelmq-file", str(path), bridge.producer.topic)
            file = EventFile(path, named, bridge.database, forwarder, bridge.max_record)
            await file.run(bridge.tell, stop=stop, follow=follow)

    with _bridge(home, client, group, follow=follow, as_json=as_json) as bridge:
        _run(bridge, "intelmq", str(queue or path), detected_by, work)


@bridge_app.command("misp-feed")
def misp_feed(
    folder: Annotated[
        Path, typer.Argument(help=f"Folder of the feed, with its {MANIFEST}.", metavar="DIR")
    ],
    group: Group = None,
    client: Client = None,
    detected_by: Found = None,
    follow: Follow = False,
    every: Annotated[
        float, typer.Option(min=0.1, help="When following: seconds between two looks.")
    ] = 10,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Send the events of a MISP feed that are new, or newer than what was sent."""
    if "://" in str(folder) or str(folder).startswith(("http:", "https:")):
        raise Refused("no-feed", "fetch the feed into a folder by your own means, and name that")
    place = folder.absolute().parent if folder.name == MANIFEST else folder.absolute()

    async def work(bridge: _Bridge, forwarder: Forwarder, stop: asyncio.Event) -> None:
        named = bridge_id("misp-feed", str(place), bridge.producer.topic)
        feed = Feed(place, named, bridge.database, forwarder)
        await feed.run(bridge.tell, stop=stop, follow=follow, every=every)

    with _bridge(home, client, group, follow=follow, as_json=as_json) as bridge:
        _run(bridge, "misp", str(place), detected_by, work)


def _run(
    bridge: _Bridge, declared: str, source: str, detected_by: DetectedBy | None, work: Work
) -> None:
    async def connected() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with bridge.producer as producer:
            await work(bridge, Forwarder(producer, declared, detected_by), stop)

    with holding(bridge.home, bridge_id(declared, source, bridge.producer.topic)):
        try:
            asyncio.run(connected())
        finally:
            bridge.tell_all()
    if bridge.refused:
        raise typer.Exit(REFUSED)


@contextmanager
def _bridge(
    home: Path, client: Path | None, group: SourceGroup | None, **how: Any
) -> Iterator[_Bridge]:
    """A bridge to the Kafka of the home, or as a partner, whose home needs to hold nothing."""
    if client is not None and group is not None:
        raise Refused("client-and-group", "the client file says the topic: leave --group out")
    if client is not None:
        kafka, topic = read_client_file(client)
        settings = Settings.load(make_home(home))
        database = Database(settings.database_url)
        try:
            database.migrate()
            limits = settings.intake
            producer = ReportProducer(kafka, topic, limits=limits, check=False)
            yield _Bridge(settings.home, database, producer, limits.max_record_bytes, **how)
        finally:
            database.close()
        return
    with open_app(home) as opened:
        settings, limits = opened.settings, opened.settings.intake
        settings.require("Kafka", settings.kafka.bootstrap)
        topic = topic_of(group or SourceGroup.OTHER)
        producer = ReportProducer(settings.kafka, topic, limits=limits, check=False)
        yield _Bridge(settings.home, opened.database, producer, limits.max_record_bytes, **how)


def _file(source: str) -> Path:
    path = Path(source).absolute()
    if not path.is_file():
        raise Refused(
            "unreadable",
            f"{visible(source)} is no file: name the file of IntelMQ's file output bot, or"
            " redis://HOST:PORT/DB?queue=NAME",
        )
    return path
