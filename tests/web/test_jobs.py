from __future__ import annotations

import errno
import html
import io
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from visitors import Browser, add_user, signed_in
from werkzeug.datastructures import FileStorage

from app.errors import IronbookError
from app.exchange.report import MachineResult, Report
from app.exchange.unfinished import Record
from app.node import Node
from app.project import ROOT
from app.web import imports, jobs

SAMPLES = ROOT.parent / "shared" / "data" / "aemp"


def finished(app: Flask, job_id: str) -> jobs.Job:
    """The job, when its thread has ended."""
    for thread in threading.enumerate():
        if thread.name.startswith("job "):
            thread.join(30)
    job = app.extensions["ironbook.jobs"].find(job_id)
    assert isinstance(job, jobs.Job)
    return job


def begin(app: Flask, work: Callable[[jobs.Job], Any]) -> str:
    """Starts `work` as one of Anna's jobs; its id."""
    job = jobs.Job("the-job", "Counting", "anna", back="/account", back_label="Account")
    app.extensions["ironbook.jobs"].start(job, work)
    return job.id


@pytest.fixture
def anna(dealer_node: Node, dealer_app: Flask) -> Browser:
    add_user(dealer_node, "anna", ["sales"])
    return signed_in(dealer_app, "anna")


def test_a_running_job_shows_how_far_it_is_and_asks_again(anna: Browser, dealer_app: Flask) -> None:
    half, go_on = threading.Event(), threading.Event()

    def work(job: jobs.Job) -> None:
        job.progress(2_000, 4_000, "Half of it")
        half.set()
        go_on.wait(30)

    job_id = begin(dealer_app, work)
    assert half.wait(30)
    page = anna.get(f"/jobs/{job_id}").get_data(as_text=True)
    assert "Half of it" in page
    assert "2,000 of 4,000" in page
    assert f'hx-get="/jobs/{job_id}/progress"' in page
    go_on.set()
    finished(dealer_app, job_id)
    done = anna.get(f"/jobs/{job_id}/progress").get_data(as_text=True)
    assert "Done in" in done
    assert "hx-get" not in done
    assert 'href="/account"' in done


def test_a_job_stops_at_its_next_step_when_it_is_asked_to(anna: Browser, dealer_app: Flask) -> None:
    started, asked = threading.Event(), threading.Event()

    def work(job: jobs.Job) -> str:
        started.set()
        asked.wait(30)
        job.progress(1)
        return "not reached"

    job_id = begin(dealer_app, work)
    assert started.wait(30)
    assert anna.post(f"/jobs/{job_id}/stop").status_code == 303
    asked.set()
    job = finished(dealer_app, job_id)
    assert (job.state, job.result) == ("stopped", None)
    assert "Stopped, as you asked" in anna.get(f"/jobs/{job_id}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (IronbookError("The file ends in the middle; nothing was imported."), "The file ends in the middle"),
        (ZeroDivisionError("the secret of the bug"), "the log says what happened"),
    ],
)
def test_a_job_that_fails_says_why(anna: Browser, dealer_app: Flask, error: Exception, words: str) -> None:
    def work(job: jobs.Job) -> None:
        raise error

    job_id = begin(dealer_app, work)
    assert finished(dealer_app, job_id).state == "failed"
    page = anna.get(f"/jobs/{job_id}").get_data(as_text=True)
    assert words in page
    assert "the secret of the bug" not in page


def test_a_job_is_seen_by_who_started_it_and_by_administrators(
    anna: Browser, dealer_node: Node, dealer_app: Flask
) -> None:
    job_id = begin(dealer_app, lambda job: None)
    add_user(dealer_node, "tom", ["sales"])
    add_user(dealer_node, "boss", ["admin"])
    assert signed_in(dealer_app, "tom").get(f"/jobs/{job_id}").status_code == 403
    assert signed_in(dealer_app, "boss").get(f"/jobs/{job_id}").status_code == 200


def test_a_job_nobody_knows_is_explained(client: Browser) -> None:
    answer = client.get("/jobs/nothing")
    assert answer.status_code == 404
    assert "restarted" in answer.get_data(as_text=True)


def test_the_oldest_finished_jobs_are_forgotten_and_running_ones_never() -> None:
    kept, go_on = jobs.Jobs(), threading.Event()
    running = kept.start(jobs.Job("running", "Waiting", "anna"), lambda job: go_on.wait(30))
    for n in range(80):
        kept.start(jobs.Job(str(n), "Quick", "anna"), lambda job: None)
        for thread in threading.enumerate():
            if thread.name == "job Quick":
                thread.join(30)
    assert kept.find("0") is None
    assert kept.find("79") is not None
    assert kept.find("running") is running
    assert kept.running("Waiting") is running
    go_on.set()


def upload(browser: Browser, name: str, content: bytes) -> Any:
    data = {"file": (io.BytesIO(content), name)}
    return browser.post("/imports/telematics", data=data, content_type="multipart/form-data")


def report(app: Flask, browser: Browser, name: str, content: bytes) -> str:
    answer = upload(browser, name, content)
    assert answer.status_code == 303
    job_id = answer.headers["Location"].rsplit("/", 1)[1]
    finished(app, job_id)
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


SNAPSHOT = b"""<?xml version="1.0"?>
<Fleet xmlns="http://standards.iso.org/iso/15143/-3" version="1" snapshotTime="2026-11-25T08:00:00Z">
  <Equipment>
    <EquipmentHeader><OEMName>CAT</OEMName><Model>320</Model><EquipmentID>B12</EquipmentID>
      <SerialNumber>HEX00123</SerialNumber></EquipmentHeader>
    <CumulativeOperatingHours datetime="2026-11-25T07:30:00Z"><Hour>4312.5</Hour></CumulativeOperatingHours>
  </Equipment>
</Fleet>"""


def test_a_fleet_snapshot_makes_machines_and_a_second_one_changes_nothing(
    anna: Browser, dealer_node: Node, dealer_app: Flask
) -> None:
    first = report(dealer_app, anna, "fleet.xml", SNAPSHOT)
    assert "1 machine made" in first
    assert "CAT 320 HEX00123" in first
    machine = dealer_node.book.get("D001:machine:CAT-HEX00123")
    assert machine
    assert machine["created_by"] == "anna"
    second = report(dealer_app, anna, "fleet.xml", SNAPSHOT)
    assert "0 machines made" in second
    assert "1 unchanged" in second
    assert not list((dealer_node.settings.data / "uploads").iterdir())


def test_an_import_that_was_killed_is_told_of_until_somebody_says_no_more(anna: Browser, dealer_node: Node) -> None:
    Record(dealer_node.local, "fleet.xml", "anna", 700).has_written(500)
    page = anna.get("/imports").get_data(as_text=True)
    assert "The import of fleet.xml that anna began on" in page
    assert "500 of 700 machines were written" in page
    [id] = re.findall(r'name="import" value="([^"]+)"', page)
    anna.post("/imports/forget", data={"import": "user:anna"})
    assert dealer_node.local.get("user:anna")
    anna.post("/imports/forget", data={"import": id})
    assert "began on" not in anna.get("/imports").get_data(as_text=True)


def test_a_machine_without_a_customer_leads_to_where_he_is_chosen(anna: Browser, dealer_app: Flask) -> None:
    answer = upload(anna, "fleet.xml", SNAPSHOT.replace(b"B12", b"Berg CAT 320"))
    finished(dealer_app, answer.headers["Location"].rsplit("/", 1)[1])
    page = anna.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Its equipment id names Berg, and no customer here is called so." in page
    [link] = re.findall(r'href="([^"#]+)#field-customer">Choose its customer', page)
    form = anna.get(html.unescape(link)).get_data(as_text=True)
    assert 'id="field-customer"' in form
    assert f'value="{answer.headers["Location"]}"' in form


def test_a_file_that_is_not_what_it_claims_changes_nothing_and_says_so(
    anna: Browser, dealer_node: Node, dealer_app: Flask
) -> None:
    text = report(dealer_app, anna, "fleet.xml", SNAPSHOT[:-20])
    assert "Done in" not in text
    assert not dealer_node.book.all_docs(startkey="D001:machine:", endkey="D001:machine;").rows
    assert not list((dealer_node.settings.data / "uploads").iterdir())


def test_a_page_of_several_says_that_there_are_more(anna: Browser, dealer_app: Flask) -> None:
    link = "<Links><rel>{}</rel><href>/Fleet/{}</href></Links>"
    links = f"{link.format('self', 1)}{link.format('next', 2)}</Fleet>".encode()
    assert "one page of several" in report(dealer_app, anna, "fleet.xml", SNAPSHOT.replace(b"</Fleet>", links))


def test_an_upload_that_finds_no_space_is_a_sentence_and_leaves_nothing(
    anna: Browser, dealer_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(upload: FileStorage, target: Any) -> None:
        target.write(b"the beginning")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileStorage, "save", no_space)
    answer = upload(anna, "fleet.xml", SNAPSHOT)
    assert answer.status_code == 507
    assert "No space left on device. Nothing was imported." in answer.get_data(as_text=True)
    assert not list((dealer_node.settings.data / "uploads").iterdir())


def test_what_a_killed_process_had_still_to_import_is_removed_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "telematics-left").write_bytes(SNAPSHOT)
    imports.remove_uploads(tmp_path)
    imports.remove_uploads(tmp_path / "never-served")
    assert not list((tmp_path / "uploads").iterdir())


def test_a_long_report_begins_with_what_a_person_has_to_look_at() -> None:
    outcomes = ["unchanged", "made", "left out", "updated"]
    found = Report([MachineResult(number, "CAT", outcome) for number, outcome in enumerate(outcomes)])
    assert [result.outcome for result in found.most_telling(3)] == ["left out", "made", "updated"]


def test_no_file_is_a_sentence(anna: Browser) -> None:
    answer = anna.post("/imports/telematics", data={}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Choose a file first" in answer.get_data(as_text=True)


def test_only_who_edits_the_book_imports(sign_in: Callable[..., Browser]) -> None:
    assert sign_in("designer").get("/imports").status_code == 403
    assert upload(sign_in("designer"), "fleet.xml", SNAPSHOT).status_code == 403


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the makers' files are not beside the project")
def test_the_makers_own_files_come_in_machine_by_machine(anna: Browser, dealer_app: Flask) -> None:
    for path in sorted(SAMPLES.glob("*.xml")):
        text = report(dealer_app, anna, path.name, path.read_bytes())
        assert "Done in" in text
        assert "Machine by machine" in text
