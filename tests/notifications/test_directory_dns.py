"""The domains of a directory, asked of a name server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from notifications.directory import Directory
from notifications.directory_dns import check_domains, resolver
from tests.notifications.samples import contact, recipient

pytestmark = [pytest.mark.asyncio, pytest.mark.requirement("R25")]

RECORDS = {
    ("mail.example.", "MX"): "10 mx.mail.example.",
    ("host.example.", "A"): "192.0.2.1",
    ("six.example.", "AAAA"): "2001:db8::1",
    ("null.example.", "MX"): "0 .",
}
KNOWN = {name for name, _ in RECORDS} | {"bare.example."}


class NameServer(asyncio.DatagramProtocol):
    """Answers from ``RECORDS``; is silent about ``silent.example``, and broken for ``broken.example``."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(), question.rdtype.name
        if name == "silent.example.":
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name == "broken.example.":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in KNOWN:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif (name, kind) in RECORDS:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, RECORDS[name, kind]))
        self.transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    transport.close()


def directory(*domains: str) -> Directory:
    contacts = [
        contact(n).model_copy(update={"email": f"desk@{domain}"})
        for n, domain in enumerate(domains)
    ]
    recipients = [recipient(id=f"org-{n}", contacts=(each,)) for n, each in enumerate(contacts)]
    return Directory(version=1, recipients=tuple(recipients))


async def problems(*domains: str, patience: float = 30.0) -> list[tuple[str, str]]:
    async with name_server() as server:
        found = await check_domains(directory(*domains), resolver(server, patience=patience))
    return [(f.problem, f.subject) for f in found]


async def test_a_domain_with_a_mail_server_or_an_address_is_well() -> None:
    assert await problems("mail.example", "host.example", "six.example", "MAIL.example") == []


async def test_a_domain_that_takes_no_mail_is_named_for_each_contact() -> None:
    found = await problems("none.example", "mail.example", "null.example", "bare.example")
    assert found == [
        ("domain-unreachable", "org-0"),
        ("domain-unreachable", "org-2"),
        ("domain-unreachable", "org-3"),
    ]


async def test_what_no_name_server_says_is_uncertain_and_not_unreachable() -> None:
    assert await problems("silent.example", "broken.example", patience=0.5) == [
        ("domain-uncertain", "org-0"),
        ("domain-uncertain", "org-1"),
    ]


async def test_asking_ends_when_its_time_is_over() -> None:
    async with name_server() as server:
        asked = resolver(server, patience=3_600)
        found = await check_domains(directory("silent.example"), asked, at_most=0.1)
    assert [(f.problem, f.message) for f in found] == [
        ("domain-uncertain", "there was no time to ask: ask again")
    ]
