from __future__ import annotations

from app.security.attempts import FREE_FOR_ADDRESS, FREE_FOR_USER, LONGEST_WAIT, Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_few_wrong_passwords_cost_nothing() -> None:
    attempts = Attempts(Clock())
    for _ in range(FREE_FOR_USER - 1):
        attempts.failed("anna", "10.0.0.1")
    assert attempts.wait("anna", "10.0.0.1") == 0


def test_each_further_wrong_password_doubles_the_wait_up_to_a_ceiling() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    waits = []
    for _ in range(FREE_FOR_USER + 12):
        attempts.failed("anna", "10.0.0.1")
        waits.append(attempts.wait("anna", "10.0.0.1"))
    after_free = waits[FREE_FOR_USER - 1 :]
    assert after_free[:4] == [2, 4, 8, 16]
    assert after_free[-1] == LONGEST_WAIT


def test_the_wait_ends() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(FREE_FOR_USER):
        attempts.failed("anna", "10.0.0.1")
    assert attempts.wait("anna", "10.0.0.1") == 2
    clock.now += 2
    assert attempts.wait("anna", "10.0.0.1") == 0


def test_somebody_elses_guessing_does_not_lock_a_user_out() -> None:
    attempts = Attempts(Clock())
    for _ in range(20):
        attempts.failed("anna", "10.6.6.6")
    assert attempts.wait("anna", "10.6.6.6") > 0
    assert attempts.wait("anna", "10.0.0.1") == 0


def test_an_address_that_tries_one_password_on_many_users_has_to_wait_too() -> None:
    attempts = Attempts(Clock())
    for n in range(FREE_FOR_ADDRESS):
        attempts.failed(f"user{n}", "10.6.6.6")
    assert attempts.wait("yet-another", "10.6.6.6") > 0


def test_signing_in_forgets_the_users_failures() -> None:
    attempts = Attempts(Clock())
    for _ in range(FREE_FOR_USER + 3):
        attempts.failed("anna", "10.0.0.1")
    attempts.succeeded("anna", "10.0.0.1")
    assert attempts.wait("anna", "10.0.0.1") == 0


def test_a_flood_from_many_addresses_does_not_fill_the_memory() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for n in range(12_000):
        clock.now += 0.01
        attempts.failed("anna", f"address {n}")
    assert len(attempts._failures) <= 10_002
