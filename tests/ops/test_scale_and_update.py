"""How many there are of a service, which images are fetched, and what a roll that was killed left: the questions to docker."""

import pytest

from tests.ops.clone import Clone

RUNNING = ("croody", "croody", "bridge", "bridge", "db", "worker", "worker exited")
STOPPED = ("croody exited", "bridge exited", "bridge exited")


def there_are(clone: Clone, containers: tuple[str, ...]) -> None:
    """Containers, each a service and its state."""
    for number, words in enumerate(containers):
        clone.container(f"one{number}", *words.split())
    # They are what the files say.
    clone.answer(r"^inspect .*config-hash", "hash image croody-cloud:dev\n")
    clone.answer("^image inspect", "image\n")


def ups(calls: list[str]) -> str:
    """The last `compose up`."""
    return [call for call in calls if call.startswith("compose up ")][-1]


def test_as_many_as_run_go_on(clone: Clone) -> None:
    there_are(clone, RUNNING)

    words = ups(clone.run("up", "--remove-orphans").calls)

    assert "--scale croody=2" in words
    assert "--scale bridge=2" in words
    assert "worker" not in words
    assert words.endswith("--remove-orphans")


def test_as_many_as_ran_before_a_stop_come_back(clone: Clone) -> None:
    there_are(clone, STOPPED)

    assert ups(clone.run("up").calls).split()[4:] == ["--scale", "bridge=2"]


@pytest.mark.parametrize("words", [["--scale", "bridge=3"], ["--scale=bridge=3"]])
def test_a_number_that_the_caller_gives_goes_before(clone: Clone, words: list[str]) -> None:
    there_are(clone, RUNNING)

    asked = ups(clone.run("up", *words).calls)

    assert "bridge=2" not in asked
    assert "bridge=3" in asked
    assert "--scale croody=2" in asked


def test_a_service_that_the_files_no_longer_name_is_not_asked_for(clone: Clone) -> None:
    there_are(clone, ("certbot", "certbot"))

    assert "certbot" not in ups(clone.run("up").calls)


def test_where_services_are_named_others_are_not_asked_for(clone: Clone) -> None:
    there_are(clone, RUNNING)
    clone.answer(
        "^compose config gateway$", "name: croody\nservices:\n  croody:\n    image: x\n  gateway:\n    image: y\nnetworks:\n  bridge:\n"
    )

    words = ups(clone.run("up", "gateway").calls)

    assert words == "compose up -d --wait --scale croody=2 gateway"


def test_one_too_many_is_asked_to_leave_before_compose_removes_it(clone: Clone) -> None:
    clone.container("entry", "gateway")
    clone.container("first", "croody")
    clone.container("second", "croody")
    clone.answer("^inspect .*IPAddress", "croody_back 10.0.0.5\n")
    clone.answer("^inspect .*Hostname", "firsthost\n")
    clone.answer(r"^inspect .*config-hash", "hash image croody-cloud:dev\n")
    clone.answer("^image inspect", "image\n")
    clone.answer("^compose exec -T gateway curl", "X-Asked: 10.0.0.9:8000\n")
    clone.answer("^compose exec -T gateway curl .*X-Leaving: firsthost", "X-Asked: 10.0.0.5:8000\n")

    told = clone.run("up", "--scale", "croody=1")

    stop, up = told.calls.index("stop first"), told.calls.index(told.asked("compose up ")[-1])
    assert told.status == 0, told.said
    assert "croody: one leaves" in told.said
    assert stop < up
    assert not told.asked("stop second")
    assert any("X-Leaving: firsthost" in call for call in told.calls[:stop])


@pytest.fixture
def gateway(clone: Clone) -> Clone:
    """One that runs with the settings that the files say, and has a newer template."""
    (clone.folder / "gateway").mkdir()
    (clone.folder / "gateway" / "nginx.conf").write_text("events {}\n")
    clone.container("one", "gateway")
    clone.answer(r"^compose config --hash \*$", "croody hash\ngateway hash\n")
    clone.answer("cat /etc/nginx/nginx.conf$", "events {}\n")
    clone.answer("find /etc/nginx/templates", "/etc/nginx/templates/10-http.conf.template\n")
    clone.answer(r"^inspect .*config-hash", "hash image nginx\n")
    clone.answer("^image inspect", "image\n")
    return clone


@pytest.mark.parametrize("good", [True, False])
def test_files_of_the_gateway_are_tried_before_they_are_used(gateway: Clone, good: bool) -> None:
    if not good:
        gateway.answer("nginx -t", "nginx: [emerg] unknown directive\n", 1)

    told = gateway.run("update")

    assert told.asked("nginx -t") == ["compose --progress quiet run --rm -T --no-deps --quiet-pull gateway nginx -t -q"]
    assert bool(told.asked("nginx -s reload")) == good
    assert (told.status == 0) == good
    assert ("nginx does not take the new files of gateway/, and goes on with the old ones" in told.said) != good


def test_a_gateway_of_other_settings_is_replaced_and_not_told_to_read_what_it_cannot_fill(gateway: Clone) -> None:
    gateway.answer(r"^inspect .*config-hash", "other image nginx\n")

    told = gateway.run("update")

    assert told.status == 0, told.said
    assert told.asked("nginx -t")
    assert not told.asked("nginx -s reload") + told.asked("--force-recreate")
    assert "gateway: is replaced, and away for some seconds" in told.said
    assert told.asked("compose up -d --wait")


def test_a_gateway_that_does_not_read_its_new_files_ends_the_update(gateway: Clone) -> None:
    gateway.answer("nginx -s reload", "nginx: [emerg] no such process\n", 1)

    english, spanish = gateway.run("update"), gateway.run("update", environ={"LANG": "es_ES.UTF-8"})

    assert (english.status, spanish.status) == (1, 1)
    assert "nginx did not read the new files of gateway/" in english.said
    assert "nginx no ha leído los archivos nuevos de gateway/" in spanish.said
    assert not english.asked("compose up")


def test_newer_base_images_are_fetched(clone: Clone) -> None:
    told = clone.run("update")

    assert told.asked("compose pull") == ["compose pull --quiet gateway db"]
    assert told.asked("compose build") == ["compose build --pull"]
    assert told.status == 0


@pytest.mark.parametrize("fails", ["compose pull", "compose build --pull"])
def test_a_registry_that_is_away_holds_no_update_up(clone: Clone, fails: str) -> None:
    clone.answer(f"^{fails}", "first line\nno such host\n", 1)

    english, spanish = clone.run("update"), clone.run("update", environ={"LANG": "es_ES.UTF-8"})

    assert (english.status, spanish.status) == (0, 0)
    assert "could not be renewed, so going on with those that are here" in english.said
    assert ("here: no such host\n" in english.said) == (fails == "compose pull")
    assert "no se han podido renovar" in spanish.said
    assert "compose build" in english.calls
    assert english.asked("compose run --rm -T migrate")


def test_a_site_without_internet_asks_no_registry(clone: Clone) -> None:
    told = clone.run("update", environ={"CROODY_PULL_POLICY": "never"})

    assert not told.asked("compose pull") + told.asked("compose build")
    assert told.asked("compose run --rm -T migrate")


def test_a_build_that_fails_changes_nothing(clone: Clone) -> None:
    clone.answer("^compose build", "boom\n", 1)

    told = clone.run("update")

    assert told.status != 0
    assert not told.asked("migrate") + told.asked("compose up")


def test_only_images_of_this_system_are_cleared_away(clone: Clone) -> None:
    told = clone.run("update", environ={"COMPOSE_PROJECT_NAME": "plant"})

    assert told.asked("prune") == ["image prune -f --filter label=com.docker.compose.project=plant"]


def test_a_database_that_is_replaced_is_told_of(clone: Clone) -> None:
    clone.container("one", "db")
    clone.answer(r"^inspect .*config-hash", "other image postgres:15\n")

    assert "db: is replaced, and away for some seconds" in clone.run("up").said
