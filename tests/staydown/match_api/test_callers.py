"""Who may check: every endpoint as Charlie, who has no right to any."""

import pytest

from tests.staydown.match_api.house import (
    ENDPOINTS,
    EXPIRED,
    GOOD,
    REVOKED,
    UPLOADS,
    WRONG,
    WRONG_SCOPE,
    assert_problem,
    code_of,
    post_lines,
    sent,
    token_row,
)


def ask(client, path, headers):
    client.headers.pop("Authorization", None)
    if path.endswith("batch"):
        return post_lines(client, sent(code_of(1)), headers=headers)[0]
    return client.post(path, json=sent(code_of(1)), headers=headers)


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("token", [WRONG, REVOKED, EXPIRED, "", "x" * 5000, "sdk_plätform"])
def test_charlie_with_a_token_that_is_no_good_is_not_authenticated(client, house, path, token):
    # When
    response = ask(client, path, {"Authorization": f"Bearer {token}".encode()})

    # Then
    problem = assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"
    assert token == "" or token not in str(problem)
    assert house.checks() == []


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Basic {GOOD}"}, {"Authorization": GOOD}])
def test_charlie_without_a_bearer_token_is_not_authenticated(client, path, headers):
    response = ask(client, path, headers)

    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_charlie_with_a_token_for_something_else_is_forbidden(client, house, path):
    response = ask(client, path, {"Authorization": f"Bearer {WRONG_SCOPE}"})

    problem = assert_problem(response, 403, "scope-missing")
    assert problem["scope"] == "check"
    assert house.checks() == []


@pytest.mark.parametrize("path", ENDPOINTS)
def test_revoked_token_stops_working_at_the_next_request(client, house, path):
    # Given a token that works
    headers = {"Authorization": f"Bearer {GOOD}"}
    assert ask(client, path, headers).status_code == 200

    # When it is revoked
    house.publish_tokens(token_row("sdk_another"))

    # Then
    assert_problem(ask(client, path, headers), 401, "unauthenticated")


def test_charlie_is_refused_before_his_body_is_looked_at(client):
    for path in UPLOADS:
        response = client.post(
            path, content=b"\xff", headers={"Authorization": "Bearer no", "Content-Type": "what/ever"}
        )
        assert_problem(response, 401)


def test_scheme_is_read_in_either_case(client):
    assert ask(client, "/api/v1/check", {"Authorization": f"bearer  {GOOD}"}).status_code == 200


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 9}', '{"version": 1, "tokens": [{}]}'])
def test_unreadable_token_file_is_our_fault_not_the_platforms(client, house, content):
    # When the token file cannot be read
    (house.data_dir / "tokens.json").write_text(content)

    # Then nobody is let in, and nobody is told that their token is bad
    response = ask(client, "/api/v1/check", {"Authorization": f"Bearer {GOOD}"})
    assert_problem(response, 503, "tokens-unreadable")
    assert response.headers["retry-after"] == "1"
    assert_problem(client.get("/readyz"), 503, "tokens-unreadable")
