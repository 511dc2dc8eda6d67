"""Tokens end in the middle of things."""


def test_a_token_that_ends_in_the_middle_of_polling_is_refreshed(stand_in, drive, wire):
    """401 once: refreshed, asked again; the run does not notice."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    refreshes = stand_in.order("count", wire.tokens | {"body": "refresh_token="})
    passwords = stand_in.order("count", wire.tokens | {"body": "password="})
    stand_in.until_hit(stand_in.order("status", wire.poll, status=401))
    stand_in.until_hit(refreshes)
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], run["attempts"]) == ("succeeded", 1)
    assert (stand_in.hits(refreshes), stand_in.hits(passwords)) == (1, 0)


def test_where_the_refresh_is_refused_the_password_is_sent(stand_in, drive, wire):
    """401 to both: the login begins anew; the run does not notice."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    stand_in.order("status", wire.tokens | {"body": "grant_type=refresh_token"}, status=401)
    passwords = stand_in.order("count", wire.tokens | {"body": "grant_type=password"})
    stand_in.order("status", wire.poll, status=401)
    stand_in.until_hit(passwords)
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], run["attempts"], stand_in.hits(passwords)) == ("succeeded", 1, 1)


def test_an_execute_that_meets_a_401_is_sent_once_more_only(stand_in, drive, wire):
    """One job run comes of it."""
    driver = drive("web-1")
    stand_in.order("status", wire.execute, status=401)
    assert driver.until(driver.trigger())["state"] == "succeeded"
    assert len(stand_in.runs()) == 1


def test_tokens_outlive_a_restart_of_the_server(stand_in, drive, wire):
    """The served API keeps them: no new login is needed."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    stand_in.stop()
    stand_in.start()
    logins = stand_in.order("count", wire.tokens)
    stand_in.release()
    assert driver.until(run_id)["state"] == "succeeded"
    assert stand_in.hits(logins) == 0


def test_no_credential_comes_into_a_log(stand_in, drive, wire):
    """Neither of the two says a password or a token, also when the login is refused."""
    stand_in.order("status", wire.tokens, status=401, body={"Message": "bad pass+word %41"})
    driver = drive("web-1")
    run = driver.until(driver.trigger())
    assert run["state"] == "failed"
    driver.until(driver.trigger())
    for process in (stand_in.process, driver.process):
        text = str(process.lines)
        assert "pass+word" not in text
        assert "Bearer" not in text
    assert "pass+word" not in str(run)
