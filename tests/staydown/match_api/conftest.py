"""A house with tokens and an empty bank, and a client of the platform at its door."""

import pytest

from tests.staydown.match_api.house import House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.publish_tokens()
    house.publish()
    return house


@pytest.fixture
def client(house):
    with house.open() as client:
        yield client
