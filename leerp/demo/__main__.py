"""``python -m leerp.demo``: the simulated world for those who play an incident by hand."""

from __future__ import annotations

from email import message_from_bytes
from pathlib import Path
from typing import Annotated

import typer

from infra.services.mail_catcher import MAILDIR, TO_HEADER
from infra.settings import Settings
from leerp.demo.directory import mailboxes, make_demo_directory
from leerp.demo.opening import Opened, open_mail
from leerp.output import complain
from protocol.errors import LeerpError, NotFound

world = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
Home = Annotated[Path, typer.Option("--home", envvar="LEERP_HOME", help="Folder of the home.")]
FOLDER = "demo"


@world.command()
def directory(home: Home = Path(".leerp")) -> None:
    """Make a directory of 27 member states and all classes, with keys, in HOME/demo."""
    typer.echo(str(make_demo_directory(home / FOLDER)))


@world.command()
def read(
    recipient: Annotated[str, typer.Argument(help="Id in the directory, such as le-poc-de.")],
    home: Home = Path(".leerp"),
) -> None:
    """Open a recipient's newest mail with their key, and print it with its link."""
    typer.echo(_shown(newest_mail(home, recipient)))


def newest_mail(home: Path, recipient: str) -> Opened:
    """The newest mail that the catcher has for a recipient of the demo directory.

    Raises:
        NotFound: no such recipient, or no mail for them yet.
        Refused: the mail is not what it should be.
    """
    boxes = {box.address: box for box in mailboxes(home / FOLDER) if box.recipient_id == recipient}
    mails = sorted((home / MAILDIR / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in reversed(mails):
        raw = path.read_bytes()
        if box := boxes.get(str(message_from_bytes(raw)[TO_HEADER])):
            return open_mail(raw, box, Settings(home=home).keys / "signer.pem")
    raise NotFound(f"the catcher in {home} has no mail for {recipient!r} yet")


def _shown(opened: Opened) -> str:
    return f"Subject: {opened.subject}\n\n{opened.text}"


if __name__ == "__main__":
    try:
        world()
    except LeerpError as exc:
        raise SystemExit(complain(exc)) from exc
