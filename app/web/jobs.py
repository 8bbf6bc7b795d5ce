"""Work that takes longer than a second: it runs in the background, shows how far it is, and can be stopped."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.errors import IronbookError
from app.security.access import needs, polled
from app.web import current

log = logging.getLogger(__name__)
pages = Blueprint("jobs", __name__, url_prefix="/jobs")

# Finished jobs are kept for whoever comes back to their page; the oldest go first.
_KEPT = 50


class Stopped(Exception):  # noqa: N818 - not an error: a person asked for it
    """Raised inside a job's work, at its next report of progress, after somebody asked it to stop."""


@dataclass
class Job:
    """One piece of work. `state` is ``running``, ``done``, ``failed`` or ``stopped``; `total` 0 means not known."""

    id: str
    title: str
    owner: str
    result_template: str = ""
    back: str = "/"
    back_label: str = "Home"
    state: str = "running"
    done: int = 0
    total: int = 0
    sentence: str = ""
    result: Any = None
    error: str = ""
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int = 0, sentence: str = "") -> None:
        """Says how far the work is: `done` of `total` things, and a sentence. Raises Stopped when it is to end."""
        if self.stopping.is_set():
            raise Stopped
        self.done, self.total = done, total
        if sentence:
            self.sentence = sentence

    def say(self, sentence: str) -> None:
        """Says in words how far the work is, where nobody knows how much there is."""
        self.sentence = sentence

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.state == "running"


class Jobs:
    """The jobs of this process; a restart forgets them, as the work itself ends with the process."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, job: Job, work: Callable[[Job], Any]) -> Job:
        """Runs ``work(job)`` in a thread of its own; what it returns becomes the job's result."""
        with self._lock:
            self._forget_oldest()
            self._jobs[job.id] = job
        threading.Thread(target=self._run, args=(job, work), name=f"job {job.title}", daemon=True).start()
        return job

    def find(self, job_id: str) -> Job | None:
        """The job, unless it was long ago."""
        with self._lock:
            return self._jobs.get(job_id)

    def running(self, title: str) -> Job | None:
        """A job of that title which is still at work, if there is one."""
        with self._lock:
            return next((job for job in self._jobs.values() if job.title == title and job.running), None)

    def _forget_oldest(self) -> None:
        finished = [job.id for job in self._jobs.values() if not job.running]
        for job_id in finished[: max(0, len(finished) - _KEPT + 1)]:
            del self._jobs[job_id]

    @staticmethod
    def _run(job: Job, work: Callable[[Job], Any]) -> None:
        try:
            job.result = work(job)
            state = "done"
        except Stopped:
            state = "stopped"
        except IronbookError as error:
            job.error = str(error)
            state = "failed"
        except Exception:
            log.exception("the job %r failed", job.title)
            job.error = "It failed in a way Ironbook did not expect; the log says what happened."
            state = "failed"
        job.seconds = time.monotonic() - job.started
        # The state comes last: whoever sees it finished may read the result.
        job.state = state


def start(
    title: str,
    work: Callable[[Job], Any],
    result_template: str = "",
    back: str = "/",
    back_label: str = "Home",
) -> ResponseReturnValue:
    """Starts ``work(job)`` for the signed-in user and sends the browser to the job's page.

    `work` runs outside the request: it calls ``job.progress(done, total, sentence)`` and returns its result, which the
    fragment `result_template` shows as ``job.result``. `back` is where the page leads afterwards.
    """
    job = Job(uuid.uuid4().hex, title, current.user().name, result_template, back, back_label)
    _jobs().start(job, work)
    return redirect(url_for("jobs.show", job_id=job.id), 303)


def is_running(title: str) -> bool:
    """Whether a job of that title is at work in this process."""
    return _jobs().running(title) is not None


@pages.get("/<job_id>")
@needs("signed in")
def show(job_id: str) -> ResponseReturnValue:
    """The page of a job: how far it is, and in the end what came of it."""
    return render_template("jobs/show.html", job=_own(job_id))


@pages.get("/<job_id>/progress")
@needs("signed in")
@polled
def progress(job_id: str) -> ResponseReturnValue:
    """The part of the page that changes; asked for again until the job has ended."""
    return render_template("jobs/progress.html", job=_own(job_id))


@pages.post("/<job_id>/stop")
@needs("signed in")
def stop(job_id: str) -> ResponseReturnValue:
    """Asks the job to end at the next place where it can."""
    job = _own(job_id)
    job.stopping.set()
    return redirect(url_for("jobs.show", job_id=job.id), 303)


def _own(job_id: str) -> Job:
    job = _jobs().find(job_id)
    if job is None:
        abort(404, "This job is not known any more: Ironbook was restarted since, or it was long ago.")
    if job.owner != current.user().name and "admin" not in current.user().roles:
        abort(403)
    return job


def _jobs() -> Jobs:
    found = current_app.extensions["ironbook.jobs"]
    assert isinstance(found, Jobs)
    return found
