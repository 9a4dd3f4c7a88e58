"""Tokens, key ring, ids, cursors, limits: what knows no business."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.requests import HTTPConnection

from api.kit import signature
from api.kit.auth import Tokens, principal_of
from api.kit.database import open_engine
from api.kit.ids import new_id
from api.kit.keyring import KeyRing, new_ring, rotated
from api.kit.limits import Limiter
from api.kit.oidc import TokenReviews, by_jwks, verifiers
from api.kit.paging import Sorted, decode, encode
from api.kit.tokens import Role, mint
from api.settings import ApiSettings
from api.tables import AuditRow
from shield.errors import Misconfigured, NotFound, RateLimited, Unauthenticated, Unavailable
from shield.similarity import form
from tests.support.api import SECRET
from tests.support.http_server import Quiet, serving
from tests.support.redis import redis_server
from tests.support.waiting import wait_until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.text(max_size=300), st.text(max_size=40))
def test_a_sealed_text_opens_for_its_row_alone(text: str, row: str) -> None:
    text, row = (part.encode("utf-8", "replace").decode() for part in (text, row))
    ring = KeyRing.parse(new_ring(NOW))
    sealed = ring.seal(text, row)
    assert ring.open(sealed, row) == text
    assert len(text) < 4 or text.encode() not in sealed
    with pytest.raises(Misconfigured):
        ring.open(sealed, row + "x")


def test_a_rotated_ring_opens_what_the_old_one_sealed_and_seals_with_the_new_key() -> None:
    first = new_ring(NOW)
    second = rotated(first, NOW)
    old, new = KeyRing.parse(first), KeyRing.parse(second)
    sealed = old.seal("hello", "row")
    assert new.open(sealed, "row") == "hello"
    with pytest.raises(Misconfigured, match="does not hold"):
        old.open(new.seal("hello", "row"), "row")
    assert (new.lot_key, new.signature_key) == (old.lot_key, old.signature_key)
    with pytest.raises(Misconfigured, match="does not hold"):
        KeyRing.parse(new_ring(NOW)).open(sealed, "row")


@pytest.mark.parametrize("content", ["", "{}", '{"active": "x", "keys": {}}', "[1]", '{"keys": 3}'])
def test_a_file_that_is_no_ring_is_one_clear_sentence(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ring.json"
    file.write_text(content)
    with pytest.raises(Misconfigured, match="is not a key ring"):
        KeyRing.read(file)


def test_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_id(NOW + timedelta(milliseconds=step)) for step in range(50) for _ in range(5)]
    assert len(set(ids)) == len(ids)
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)), st.text())
def test_a_cursor_comes_back_as_it_was(key: float, row: str) -> None:
    row = row.encode("utf-8", "replace").decode().replace("\0", "")
    assert decode(encode([key, row])) == (key, row)


@given(st.text(max_size=60))
def test_any_other_text_is_no_cursor_and_no_crash(text: str) -> None:
    try:
        values = decode(text)
    except NotFound:
        return
    assert len(values) == 2


def settings(**changes: Any) -> ApiSettings:
    return ApiSettings(**{"jwt_secret": SECRET, **changes})


def test_there_is_no_default_secret_and_a_short_one_is_refused() -> None:
    for secret in (None, "short"):
        with pytest.raises(Misconfigured, match="at least 32 bytes"):
            settings(jwt_secret=secret).secret()


def test_unknown_roles_in_a_token_give_nothing() -> None:
    token = jwt.encode(
        {
            "sub": "ann",
            "roles": ["root", "user"],
            "iss": "antispam-shield",
            "aud": "antispam-shield",
            "exp": NOW.timestamp() + 60,
        },
        SECRET,
    )
    assert Tokens(settings(), lambda: NOW).verify(token).roles == {Role.USER}


def test_an_unsigned_token_is_refused() -> None:
    token = jwt.encode({"sub": "ann", "iss": "antispam-shield"}, "", algorithm="none")
    with pytest.raises(Unauthenticated):
        Tokens(settings(), lambda: NOW).verify(token)


def test_a_token_ends_at_its_time() -> None:
    token = mint(SECRET, "ann", ["user"], now=NOW, lifetime_seconds=60)
    assert Tokens(settings(), lambda: NOW + timedelta(seconds=59)).verify(token).subject == "ann"
    with pytest.raises(Unauthenticated, match="expired"):
        Tokens(settings(), lambda: NOW + timedelta(seconds=60)).verify(token)


@pytest.fixture(scope="module")
def issuer() -> Iterator[SimpleNamespace]:
    """An OIDC issuer's key and the JWKS that it publishes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    document = json.dumps({"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]})

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(document.encode())

    with serving(Handler) as origin:
        yield SimpleNamespace(key=key, url=f"{origin}/jwks")


def signed(key: Any, **changes: Any) -> str:
    claims = {
        "sub": "carla",
        "iss": "https://issuer.example",
        "aud": "antispam-shield",
        "exp": datetime.now(UTC).timestamp() + 60,
        "realm_access": {"roles": ["reviewer", "offline_access"]},
        **changes,
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "one"})


def test_a_token_of_the_oidc_issuer_is_known_by_its_published_key(issuer: SimpleNamespace) -> None:
    verify = by_jwks(
        issuer.url,
        issuer="https://issuer.example",
        audience="antispam-shield",
        roles_claim="realm_access.roles",
    )
    tokens = Tokens(settings(), lambda: datetime.now(UTC), [verify])
    principal = tokens.verify(signed(issuer.key))
    assert principal.subject == "carla"
    assert principal.roles == {Role.REVIEWER}
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for bad in (
        signed(stranger),
        signed(issuer.key, aud="another"),
        signed(issuer.key, exp=1),
        signed(issuer.key, iss="https://elsewhere.example"),
    ):
        with pytest.raises(Unauthenticated):
            tokens.verify(bad)


@pytest.mark.parametrize("key_id", ["\ud800", "k" * 60_000])
def test_a_token_is_refused_in_few_plain_words_whatever_its_header_says(
    issuer: SimpleNamespace, key_id: str
) -> None:
    verify = by_jwks(
        issuer.url, issuer="https://issuer.example", audience="antispam-shield", roles_claim="roles"
    )
    _, claims, mark = signed(issuer.key).split(".")
    header = json.dumps({"alg": "RS256", "kid": key_id}).encode()
    token = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{claims}.{mark}"
    with pytest.raises(Unauthenticated) as refused:
        verify(token)
    assert len(refused.value.message.encode()) < 300


def test_an_address_without_keys_is_an_outage_and_no_fault() -> None:
    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

    with serving(Handler) as origin:
        verify = by_jwks(origin, issuer="https://issuer.example", audience="a", roles_claim="r")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        with pytest.raises(Unavailable, match="cannot be read"):
            verify(signed(key))


def test_an_issuer_that_is_away_is_an_outage_and_no_refusal() -> None:
    verify = by_jwks(
        "http://127.0.0.1:9/jwks", issuer="https://issuer.example", audience="a", roles_claim="r"
    )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(Unavailable):
        verify(signed(key))


def test_a_service_account_is_what_the_cluster_says_it_is_and_is_asked_once_a_minute() -> None:
    asked: list[str] = []

    def cluster(token: str) -> Any:
        asked.append(token)
        return SimpleNamespace(
            authenticated=token != "forged",
            audiences=["antispam-shield"] if token != "other-audience" else ["kubernetes"],
            user=SimpleNamespace(username="system:serviceaccount:shield:pipeline"),
        )

    time = [0.0]
    reviews = TokenReviews(
        {"system:serviceaccount:shield:pipeline": Role.PIPELINE},
        "antispam-shield",
        review=cluster,
        monotonic=lambda: time[0],
    )
    principal = reviews("good")
    assert principal is not None
    assert principal.roles == {Role.PIPELINE}
    assert reviews("good") == principal
    assert reviews("forged") is None
    assert reviews("other-audience") is None
    assert asked == ["good", "forged", "other-audience"]
    time[0] = 61
    reviews("good")
    assert asked[-1] == "good"


def test_a_user_over_the_limit_is_told_when_to_come_back_and_others_are_not_touched() -> None:
    limiter = Limiter("2/minute", "", "memory://")
    limiter.check("ann", "1.2.3.4")
    limiter.check("ann", "1.2.3.4")
    with pytest.raises(RateLimited) as refused:
        limiter.check("ann", "1.2.3.4")
    assert 1 <= refused.value.retry_after_seconds <= 60
    limiter.check("bob", "1.2.3.4")


def test_limiters_of_several_pods_count_together_in_redis_and_its_outage_is_no_refusal() -> None:
    with redis_server() as url:
        one, other = (Limiter("2/minute", "", url) for _ in range(2))
        assert one.is_remote
        one.check("ann", "1.2.3.4")
        other.check("ann", "1.2.3.4")
        for pod in (one, other):
            with pytest.raises(RateLimited):
                pod.check("ann", "1.2.3.4")
        other.check("bob", "1.2.3.4")
    with pytest.raises(Unavailable, match="SHIELD_API_RATE_STORAGE"):
        one.check("ann", "1.2.3.4")


def test_a_limit_that_is_none_is_one_clear_sentence() -> None:
    with pytest.raises(Misconfigured, match="not a rate limit"):
        Limiter("many", "", "memory://")


def request(peer: str, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "counts_for"),
    [
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.7"], "203.0.113.7"),  # 1.1.1.1 is what the phone says
        ("10.0.0.1", ["1.1.1.1, 10.0.0.9"], "10.0.0.9"),  # a phone with a private address
        ("10.0.0.1", ["1.1.1.1", "203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("198.51.100.9", ["1.1.1.1"], "198.51.100.9"),
    ],
)
def test_behind_a_trusted_gateway_a_request_counts_for_the_phone_and_not_for_what_it_claims(
    peer: str, forwarded: list[str], counts_for: str
) -> None:
    limiter = Limiter("", "", "memory://", "10.0.0.0/8")
    assert limiter.address(request(peer, *forwarded)) == counts_for
    assert Limiter("", "", "memory://").address(request(peer, *forwarded)) == peer


@pytest.mark.parametrize(
    ("peer", "forwarded", "counts_for"),
    [
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "203.0.113.7", "2001:db8:1:2::/64"),
        ("10.0.0.1", "unknown", "unknown"),
    ],
)
def test_one_client_counts_as_one_however_its_address_is_written(
    peer: str, forwarded: str, counts_for: str
) -> None:
    limiter = Limiter("", "", "memory://", "10.0.0.0/8")
    assert limiter.address(request(peer, forwarded)) == counts_for


@pytest.mark.parametrize("number", [2**63, -(2**63), 10**300])
def test_a_number_that_no_database_holds_is_no_cursor(number: int) -> None:
    order = Sorted(AuditRow.sequence, AuditRow.hash, kind=int)
    with pytest.raises(NotFound, match="cursor"):
        order.after(decode(encode([number, "x"])))


def test_a_sketch_of_another_length_is_like_nothing_and_keeps_no_other_from_being_compared() -> (
    None
):
    ring = KeyRing.parse(new_ring(datetime.now(UTC)))
    said = form("Your parcel is held at our depot, pay 1.99 today")
    whole = signature.packed(said, signature.sketch(said, ring), ring)
    rows, hosts = signature.unpacked([whole[:-1], whole, b""])
    assert (rows[1] == signature.unpacked([whole])[0][0]).all()
    assert not rows[0].any()
    assert not rows[2].any()
    assert len(hosts) == 3


def test_two_gateways_in_a_row_are_counted_from_the_end() -> None:
    limiter = Limiter("", "", "memory://", "10.0.0.0/8", proxy_hops=2)
    assert limiter.address(request("10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.9")) == "203.0.113.7"
    assert limiter.address(request("10.0.0.1", "203.0.113.7")) == "203.0.113.7"


def test_reads_have_a_limit_of_their_own() -> None:
    limiter = Limiter("1/minute", "", "memory://", reads_per_user="2/minute")
    limiter.check("ann", "1.2.3.4")
    limiter.check_read("ann")
    limiter.check_read("ann")
    with pytest.raises(RateLimited, match="from this reader"):
        limiter.check_read("ann")


@pytest.mark.parametrize(
    ("roles", "own", "known"),
    [
        ([{"name": "admin"}, ["admin"], None, 7, "user"], True, {Role.USER}),
        ({"admin": True}, True, set()),
        ("reviewer", True, {Role.REVIEWER}),
        (["pipeline", "admin"], True, {Role.PIPELINE, Role.ADMIN}),
        (["pipeline", "operator", "admin"], False, {Role.ADMIN}),
        (["service", "admin"], False, {Role.ADMIN}),
    ],
)
def test_roles_of_any_shape_are_read_and_an_outside_issuer_makes_nobody_a_machine(
    roles: object, own: bool, known: set[Role]
) -> None:
    assert principal_of({"sub": "ann", "roles": roles}, "roles", own=own).roles == known


def test_a_token_of_the_former_role_service_says_which_roles_there_are_now() -> None:
    with pytest.raises(Unauthenticated, match="the roles pipeline and operator, apart"):
        principal_of({"sub": "steps", "roles": ["service"]}, "roles", own=True)


@pytest.mark.parametrize("entry", ["shield:steps", "shield:steps=service"])
def test_a_service_account_without_a_role_that_there_is_is_one_clear_sentence(entry: str) -> None:
    settings = ApiSettings(token_review=True, service_accounts=[entry])
    with pytest.raises(Misconfigured, match="Write `namespace:name=pipeline`"):
        verifiers(settings)


def test_a_gateway_that_is_no_network_is_one_clear_sentence() -> None:
    with pytest.raises(Misconfigured, match="TRUSTED_PROXIES is not a network"):
        Limiter("", "", "memory://", "10.0.0.0/8, gateway")


def test_a_connection_that_the_server_has_closed_is_replaced_before_it_is_used() -> None:
    from tests.support.postgres import new_database

    url = new_database()
    engine, killer = open_engine(url), open_engine(url)
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with killer.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    gone = text("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = :pid")
    # A transaction keeps what it first read of the activity until it ends.
    with killer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        wait_until(lambda: connection.scalar(gone, {"pid": pid}))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != pid
