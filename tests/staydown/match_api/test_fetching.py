"""Fetching media by its address: from listed hosts and public addresses, each redirect looked at anew."""

import asyncio
import datetime
import hashlib
import ipaddress
import socket
import ssl
import threading
from contextlib import asynccontextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from staydown.match_api import MatchApiSettings, fetching
from staydown.match_api.body import BodyReader, HeldBytes
from staydown.match_api.call import Call
from staydown.match_api.errors import Refused
from staydown.match_api.fetch_hosts import FetchHost
from staydown.match_api.fetching import MediaFetcher
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import UPLOADS, assert_problem, code_of, entry

PICTURE = jpeg(200, 160)


def response(body=b"", *headers, status="200 OK", length=True):
    """An answer's bytes."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def to(location, status="302 Found"):
    return response(b"", f"Location: {location}", status=status)


class Host:
    """A web server on loopback that answers each path with fixed bytes and remembers what it was asked."""

    def __init__(self, answers, *, slowly=0.0):
        self.answers, self.slowly, self.asked = answers, slowly, []

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode())
        answer = self.answers[head.split(b" ")[1].decode()]
        try:
            for piece in answer if isinstance(answer, list) else [answer]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(self.slowly)
        except ConnectionError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, tls=None):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            yield server.sockets[0].getsockname()[1]


def settings_of(tmp_path, hosts, **values):
    return MatchApiSettings(data_dir=tmp_path, fetch_hosts=FetchHost.parse_all(hosts), **values)


async def fetch(settings, url, *, resolve=None, tls=None, own_port=None, held=None):
    fetcher = MediaFetcher(settings, resolve=resolve, tls=tls)
    held = held or HeldBytes(limit=settings.max_held_bytes)
    with BodyReader(Call({"headers": []}, None), settings=settings, held=held) as reader:
        return await fetcher.fetch(fetcher.target(url), reader, own_port=own_port)


def from_host(tmp_path, host, path="/a", *, hosts="", slowly=None, **values):
    """What is fetched from a listed and pinned host on loopback."""

    async def story():
        async with host.listening() as port:
            listed = f"http://media.test:{port}=127.0.0.1{hosts.format(port=port)}"
            return await fetch(settings_of(tmp_path, listed, **values), f"http://media.test:{port}{path}")

    return asyncio.run(story())


def refused_slug(call):
    with pytest.raises(Refused) as refused:
        call()
    for secret in ("media.test", "127.0.0.1", "secret"):
        assert secret not in str(refused.value.problem.as_dict())
    return refused.value.problem.slug


def test_media_is_fetched_without_cookies_compression_or_our_tokens(tmp_path, monkeypatch):
    # Given a proxy in the environment that would fail
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    host = Host({"/a?b=c": response(PICTURE, "Set-Cookie: a=b")})

    # When
    found = from_host(tmp_path, host, "/a?b=c")

    # Then
    assert found == PICTURE
    [asked] = host.asked
    names = [line.partition(":")[0].lower() for line in asked.strip().split("\r\n")[1:]]
    assert names == ["host", "accept", "accept-encoding", "user-agent"]
    assert "Accept-Encoding: identity" in asked


def test_answer_in_chunks_is_put_together(tmp_path):
    body = [
        response(b"", "Transfer-Encoding: chunked", length=False),
        b"3\r\nabc\r\n",
        b"2\r\nde\r\n0\r\n\r\n",
    ]

    assert from_host(tmp_path, Host({"/a": body})) == b"abcde"


def test_nothing_is_fetched_where_no_host_is_listed(tmp_path):
    settings = MatchApiSettings(data_dir=tmp_path)

    assert refused_slug(lambda: MediaFetcher(settings).target("https://cdn.example/a")) == "fetch-off"


@pytest.mark.parametrize(
    "url", ["https://other.example/a", "http://cdn.example/a", "nonsense", "https://u:p@cdn.example/"]
)
def test_host_that_is_not_listed_is_never_looked_up(tmp_path, url):
    async def resolve(host, port):
        raise AssertionError("looked up")

    fetcher = MediaFetcher(settings_of(tmp_path, "cdn.example"), resolve=resolve)

    assert refused_slug(lambda: fetcher.target(url)) == "fetch-host-not-allowed"


INSIDE = ["127.0.0.1", "10.0.0.1", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"]
INSIDE += ["0.0.0.0", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1"]
INSIDE += ["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "168.63.129.16"]


@pytest.mark.parametrize("addresses", [[], *([one] for one in INSIDE), ["1.1.1.1", "10.0.0.1"]], ids=str)
def test_listed_host_that_leads_inside_is_refused_before_anything_is_sent(tmp_path, monkeypatch, addresses):
    # Given a listed name whose addresses its owner chose
    async def resolve(host, port):
        return addresses

    def connect(*_):
        raise AssertionError("connected")

    monkeypatch.setattr(fetching, "_OneAddress", connect)

    # When and Then
    settings = settings_of(tmp_path, "cdn.example")
    slug = refused_slug(lambda: asyncio.run(fetch(settings, "https://cdn.example/a", resolve=resolve)))
    assert slug == "fetch-address-refused"


def test_name_of_this_machine_is_refused_however_the_system_looks_it_up(tmp_path):
    settings = settings_of(tmp_path, "localhost")

    slug = refused_slug(lambda: asyncio.run(fetch(settings, "https://localhost/a")))
    assert slug == "fetch-address-refused"


def test_own_public_address_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "is_own", lambda address: address == "1.1.1.1")

    async def resolve(host, port):
        return ["1.1.1.1"]

    settings = settings_of(tmp_path, "cdn.example")
    slug = refused_slug(lambda: asyncio.run(fetch(settings, "https://cdn.example/a", resolve=resolve)))
    assert slug == "fetch-address-refused"


def test_port_of_this_server_is_refused_even_where_the_operator_pinned_the_address(tmp_path):
    settings = settings_of(tmp_path, "http://media.test:8000=127.0.0.1")

    slug = refused_slug(lambda: asyncio.run(fetch(settings, "http://media.test:8000/a", own_port=8000)))
    assert slug == "fetch-address-refused"


def test_name_is_looked_up_once_and_the_checked_address_is_connected_to(tmp_path, monkeypatch):
    # Given a name server that gives a public address first and loopback at the second look
    looked, connected = [], []

    async def resolve(host, port):
        looked.append(host)
        return ["1.1.1.1"] if len(looked) == 1 else ["127.0.0.1"]

    async def connect_tcp(self, host, port, *_, **__):
        connected.append((host, port))
        raise OSError("no network here")

    monkeypatch.setattr(fetching.httpcore.AnyIOBackend, "connect_tcp", connect_tcp)

    # When
    settings = settings_of(tmp_path, "cdn.example")
    slug = refused_slug(lambda: asyncio.run(fetch(settings, "https://cdn.example/a", resolve=resolve)))

    # Then
    assert slug == "fetch-failed"
    assert looked == ["cdn.example"]
    assert connected == [("1.1.1.1", 443)]


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
@pytest.mark.parametrize("location", ["/b", "b", "?x", "http://media.test:{port}/b"])
def test_redirect_to_a_listed_host_is_followed(tmp_path, status, location):
    async def story():
        host = Host({})
        async with host.listening() as port:
            host.answers |= {
                "/a": to(location.format(port=port), status),
                "/b": response(b"found"),
                "/a?x": response(b"found"),
            }
            settings = settings_of(tmp_path, f"http://media.test:{port}=127.0.0.1")
            return await fetch(settings, f"http://media.test:{port}/a")

    assert asyncio.run(story()) == b"found"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://other.example/",
        "file:///etc/passwd",
        "gopher://media.test/",
        "http://media.test/",
        "//other.example/a",
        "http://user@media.test:1/",
        "http://media.test:1\\@x/",
    ],
)
def test_redirect_to_elsewhere_is_refused(tmp_path, location):
    host = Host({"/a": to(location)})

    assert refused_slug(lambda: from_host(tmp_path, host)) == "fetch-host-not-allowed"
    assert len(host.asked) == 1


def test_redirect_to_a_listed_name_that_leads_inside_is_refused(tmp_path):
    async def resolve(name, port):
        return ["127.0.0.1"]

    async def story():
        host = Host({"/a": to("https://cdn.example/b")})
        async with host.listening() as port:
            settings = settings_of(tmp_path, f"cdn.example,http://media.test:{port}=127.0.0.1")
            await fetch(settings, f"http://media.test:{port}/a", resolve=resolve)

    assert refused_slug(lambda: asyncio.run(story())) == "fetch-address-refused"


def test_at_most_three_redirects_are_followed(tmp_path):
    chain = {f"/{n}": to(f"/{n + 1}") for n in range(9)}

    assert from_host(tmp_path, Host(chain | {"/3": response(b"found")}), "/0") == b"found"
    endless = Host(chain)
    assert refused_slug(lambda: from_host(tmp_path, endless, "/0")) == "fetch-failed"
    assert len(endless.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", status="404 Not Found"),
        response(b"", status="206 Partial Content"),
        response(b"", status="500 Oops"),
        response(b"x", "Content-Encoding: gzip"),
        response(b"", status="302 Found"),
        to("http://[broken"),
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"",
    ],
)
def test_answer_that_is_no_file_is_a_problem(tmp_path, answer):
    assert refused_slug(lambda: from_host(tmp_path, Host({"/a": answer}))) == "fetch-failed"


def test_host_that_does_not_listen_is_a_problem(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = settings_of(tmp_path, f"http://media.test:{port}=127.0.0.1")

    assert refused_slug(lambda: asyncio.run(fetch(settings, f"http://media.test:{port}/a"))) == "fetch-failed"


@pytest.mark.parametrize(
    "answer",
    [response(b"x" * 20_000), [response(b"", length=False), *[b"x" * 1000] * 1000]],
    ids=["announced", "endless"],
)
def test_file_larger_than_a_body_may_be_is_not_read_to_its_end(tmp_path, answer):
    slug = refused_slug(lambda: from_host(tmp_path, Host({"/a": answer}), max_body_bytes=10_000))

    assert slug == "body-too-large"


def test_fetched_bytes_count_as_held_and_are_given_back(tmp_path):
    held = HeldBytes(limit=1000)

    async def story():
        async with Host({"/a": response(b"x" * 5000)}).listening() as port:
            settings = settings_of(tmp_path, f"http://media.test:{port}=127.0.0.1")
            await fetch(settings, f"http://media.test:{port}/a", held=held)

    assert refused_slug(lambda: asyncio.run(story())) == "busy"
    assert held.held == 0


def test_file_that_trickles_in_is_given_up(tmp_path):
    host = Host({"/a": [response(b"", length=False), *[b"x"] * 100]}, slowly=0.05)

    assert refused_slug(lambda: from_host(tmp_path, host, fetch_seconds=0.2)) == "fetch-too-slow"


def test_only_so_many_files_are_fetched_at_a_time(tmp_path):
    async def story():
        async with Host({"/a": [response(b"", length=False), b"x"]}, slowly=0.2).listening() as port:
            settings = settings_of(tmp_path, f"http://media.test:{port}=127.0.0.1", max_fetches=2)
            fetcher = MediaFetcher(settings)

            async def one():
                with BodyReader(
                    Call({"headers": []}, None), settings=settings, held=HeldBytes(limit=1000)
                ) as reader:
                    return await fetcher.fetch(
                        fetcher.target(f"http://media.test:{port}/a"), reader, own_port=None
                    )

            found = await asyncio.gather(*(one() for _ in range(3)), return_exceptions=True)
            return found, await one()

    found, later = asyncio.run(story())
    assert found[:2] == [b"x", b"x"]
    assert found[2].problem.slug == "busy"
    assert later == b"x"


# --- TLS


def certificate(name):
    """A server's TLS context for the name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(("name", "is_found"), [("media.test", True), ("other.test", False)])
def test_certificate_must_be_of_the_host_that_is_named_not_of_the_address(tmp_path, name, is_found):
    # Given a host whose certificate is for this name, and for the address on which it listens
    public, private = certificate(name)
    (tmp_path / "both.pem").write_bytes(public + private)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "both.pem")
    trusting = ssl.create_default_context(cadata=public.decode())

    async def story():
        async with Host({"/a": response(PICTURE)}).listening(served) as port:
            settings = settings_of(tmp_path, f"media.test:{port}=127.0.0.1")
            return await fetch(settings, f"https://media.test:{port}/a", tls=trusting)

    # When and Then
    if is_found:
        assert asyncio.run(story()) == PICTURE
    else:
        assert refused_slug(lambda: asyncio.run(story())) == "fetch-failed"


# --- through the door


@pytest.mark.parametrize("path", UPLOADS)
def test_check_by_address_finds_what_a_check_of_the_media_finds(house, path):
    # Given a listed host with a picture that is registered
    house.put(entry("ent_a", sha256=hashlib.sha256(PICTURE).hexdigest(), codes=[code_of(1)]))
    loop = asyncio.new_event_loop()
    host = Host({"/a": response(PICTURE)})
    server = loop.run_until_complete(asyncio.start_server(host.serve, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with house.open(fetch_hosts=FetchHost.parse_all(f"http://media.test:{port}=127.0.0.1")) as client:
            # When
            url = f"http://media.test:{port}/a"
            by_address = client.post(path, json={"media_url": url, "content_id": "7", "level": "plain"})
            by_media = client.post(path, files={"media": PICTURE}, data={"level": "plain", "content_id": "7"})
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        server.close()
        loop.close()

    # Then
    assert by_address.json()["action"] == "block"
    assert by_address.status_code == by_media.status_code
    assert {**by_address.json(), "check_id": ""} == {**by_media.json(), "check_id": ""}
    assert [record["content_id"] for record in house.checks()] == ["7", "7"]


@pytest.mark.parametrize("path", UPLOADS)
def test_address_is_refused_by_name_where_fetching_is_off(client, house, path):
    assert_problem(client.post(path, json={"media_url": "https://cdn.example/a"}), 403, "fetch-off")
    assert house.checks() == []
