"""Ports are free, stay the same where they can, and taken ones are explained."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.services.ports import LOOPBACK, Ports, address_of, require_free
from protocol.errors import ServiceDown


def test_a_home_gets_its_port_again_while_it_is_free(tmp_path: Path) -> None:
    first = Ports(tmp_path).pick("console")

    assert Ports(tmp_path).pick("console") == first


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    first = Ports(tmp_path).pick("console")

    with socket.create_server((LOOPBACK, first)):
        second = Ports(tmp_path).pick("console")

    assert second != first
    assert Ports(tmp_path).pick("console") == second


def test_no_two_services_get_one_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path)

    assert len({ports.pick(f"service {number}") for number in range(50)}) == 50


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServiceDown, match=f"{LOOPBACK}:{port}.*stop what uses that port"):
            require_free("the console", LOOPBACK, port)


@pytest.mark.parametrize("text", ["", "8080", ":8080", "host:", "host:http", "host:70000"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ServiceDown, match="write HOST:PORT"):
        address_of(text)


def test_an_address_is_split_at_its_port() -> None:
    assert address_of("127.0.0.1:80") == ("127.0.0.1", 80)
    assert address_of("[::1]:80") == ("::1", 80)
