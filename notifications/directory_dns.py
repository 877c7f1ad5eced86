"""Whether mail can reach the domains of the directory at all, as the DNS says now.

Asked only when somebody wants to know, since it tells a name server who is in the directory.
Source: RFC 5321 section 5.1 (MX, else the address), RFC 7505 (no mail here).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from notifications.directory import Directory
from notifications.directory_check import Finding

AT_A_TIME = 20
UNREACHABLE, UNCERTAIN = "domain-unreachable", "domain-uncertain"


def resolver(server: str = "", *, patience: float = 5.0) -> dns.asyncresolver.Resolver:
    """One that asks ``server`` (``ADDRESS`` or ``ADDRESS:PORT``), the system's name servers if empty.

    ``patience`` is seconds for one question with all its repeats.
    """
    made = dns.asyncresolver.Resolver(configure=not server)
    if server:
        address, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
        made.nameservers = [address]
        made.port = int(port or 53)
    made.lifetime = patience
    made.timeout = patience
    return made


async def check_domains(
    directory: Directory, asked: dns.asyncresolver.Resolver, *, at_most: float = 120.0
) -> list[Finding]:
    """A finding for each contact whose domain takes no mail, or of which nobody says so.

    It takes ``at_most`` so many seconds; what was not answered by then is uncertain.
    """
    domains = sorted({_domain(c.email) for r in directory.recipients for c in r.contacts})
    slots = asyncio.Semaphore(AT_A_TIME)

    async def ask(domain: str) -> tuple[str, str] | None:
        async with slots:
            return await _problem(asked, domain)

    tasks = {domain: asyncio.create_task(ask(domain)) for domain in domains}
    if tasks:
        _, late = await asyncio.wait(tasks.values(), timeout=at_most)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return list(_findings(directory, tasks))


def _findings(
    directory: Directory, tasks: dict[str, asyncio.Task[tuple[str, str] | None]]
) -> Iterable[Finding]:
    late = (UNCERTAIN, "there was no time to ask: ask again")
    for recipient in directory.recipients:
        for number, contact in enumerate(recipient.contacts):
            task = tasks[_domain(contact.email)]
            if found := late if task.cancelled() else task.result():
                problem, message = found
                yield Finding(
                    problem=problem, subject=recipient.id, contact=number, message=message
                )


async def _problem(asked: dns.asyncresolver.Resolver, domain: str) -> tuple[str, str] | None:
    """Why mail cannot get to the domain: a code and words, or None."""
    try:
        for kind in (dns.rdatatype.MX, dns.rdatatype.A, dns.rdatatype.AAAA):
            answer = await asked.resolve(domain, kind, raise_on_no_answer=False, search=False)
            if answer.rrset is None:
                continue
            if kind == dns.rdatatype.MX and all(mx.exchange == dns.name.root for mx in answer):
                return UNREACHABLE, "its domain says that it takes no mail: ask for another address"
            return None
    except dns.resolver.NXDOMAIN:
        return UNREACHABLE, "there is no such domain: ask for the right address"
    except dns.exception.DNSException as exc:
        name = type(exc).__name__
        return UNCERTAIN, f"no name server says whether its domain takes mail ({name}): ask again"
    return UNREACHABLE, "its domain has neither a mail server nor an address: ask for another"


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()
