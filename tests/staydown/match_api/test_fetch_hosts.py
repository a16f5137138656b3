"""The operator's list of hosts, and which addresses mean one of them."""

import pytest

from staydown.match_api.fetch_hosts import FetchHost, target_of

HOSTS = FetchHost.parse_all("cdn.example, Media.Example:8443,http://images.internal:9000=10.0.0.7,")


def test_hosts_are_read_one_by_one():
    assert list(HOSTS) == [
        FetchHost(host="cdn.example"),
        FetchHost(host="media.example", port=8443),
        FetchHost(host="images.internal", port=9000, scheme="http", address="10.0.0.7"),
    ]
    assert FetchHost.parse_all("") == FetchHost.parse_all(" , ") == ()


@pytest.mark.parametrize(
    "text",
    [
        "*.example",
        "*",
        "http://cdn.example",  # http needs its port said
        "ftp://cdn.example:21",
        "cdn.example:0",
        "cdn.example:65536",
        "cdn.example:x",
        "cdn.example:",
        "cdn.example/path",
        "user@cdn.example",
        "cdn.example=",
        "cdn.example=other.example",
        "cdn_example",
        "-cdn.example",
        "cdn..example",
        "bücher.example",
        "https://",
        "[::1]",
    ],
)
def test_host_that_cannot_be_meant_is_named_to_the_operator(text):
    with pytest.raises(ValueError, match="STAYDOWN_FETCH_HOSTS"):
        FetchHost.parse(text)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://cdn.example/a.jpg", "cdn.example", "/a.jpg"),
        ("https://CDN.example:443/a.jpg?x=1&y=%20", "cdn.example", "/a.jpg?x=1&y=%20"),
        ("https://cdn.example", "cdn.example", "/"),
        ("https://cdn.example?q", "cdn.example", "/?q"),
        ("https://cdn.example/a#part", "cdn.example", "/a"),
        ("https://media.example:8443/v", "media.example", "/v"),
        ("http://images.internal:9000/v", "images.internal", "/v"),
    ],
)
def test_address_of_a_listed_host_is_a_target(url, host, path):
    target = target_of(url, hosts=HOSTS)

    assert (target.place.host, target.path) == (host, path)


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/",
        "https://cdn.example.evil.example/",
        "https://evil-cdn.example/",
        "https://sub.cdn.example/",
        "https://cdn.example:8443/",
        "http://cdn.example/",
        "http://cdn.example:443/",
        "https://media.example/",
        "https://images.internal:9000/",
        "http://images.internal/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://cdn.example./",
        "https://0x7f000001/",
    ],
)
def test_address_of_another_host_port_or_scheme_is_none(url):
    assert target_of(url, hosts=HOSTS) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cdn.example/a",
        "//cdn.example/a",
        "ftp://cdn.example/a",
        "file:///etc/passwd",
        "gopher://cdn.example/",
        "https://user:password@cdn.example/",
        "https://evil.example@cdn.example/",
        "https://cdn.example\\@evil.example/",
        "https://cdn.example/a b",
        "https://cdn.example/\r\nHost: evil",
        "https://cdn.example/\t",
        "https://cdn.exämple/",
        "https://cdn.example:99999/",
        "https://cdn.example:x/",
        "https://[cdn.example/",
        "https:///a",
    ],
)
def test_what_is_no_plain_address_is_refused(url):
    with pytest.raises(ValueError):
        target_of(url, hosts=HOSTS)
