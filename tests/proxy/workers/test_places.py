"""Workers share a port among themselves, and with nobody else."""

import socket

import pytest

from indexgate.listening import bound
from indexgate.workers.places import reserved

HOST = "127.0.0.1"


def test_one_socket_for_all_keeps_the_place_from_the_beginning() -> None:
    with reserved(HOST, 0, shared=True) as place:
        assert place.port
        with pytest.raises(OSError, match="in use"), bound(HOST, place.port) as other:
            other.listen()


def test_each_worker_has_a_socket_of_its_own_at_the_place() -> None:
    with reserved(HOST, 0, shared=False) as place:
        with place.listener() as one, place.listener() as other:
            one.listen()
            other.listen()
            assert one.getsockname() == other.getsockname() == (HOST, place.port)


def test_a_place_where_workers_listen_is_not_free() -> None:
    with reserved(HOST, 0, shared=False) as place, place.listener() as worker:
        worker.listen()
        with pytest.raises(OSError, match="in use"):
            with reserved(HOST, place.port, shared=False):
                pass


def test_connections_come_to_workers_only() -> None:
    with reserved(HOST, 0, shared=False) as place, place.listener() as worker:
        worker.listen()
        for _ in range(20):
            with socket.create_connection((HOST, place.port), timeout=5):
                worker.accept()[0].close()
