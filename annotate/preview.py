"""Preview: the page of a planned HIT as a file, to be tried in a browser before anyone is asked."""

import json
import os
from pathlib import Path

import sqlalchemy as sa

from photojury.annotate.tasks import page
from photojury.annotate.tasks.kind import kind
from photojury.datasets import tables
from photojury.datasets.images import write_atomically
from photojury.datasets.store import Study
from photojury.errors import InputError


def write_preview(study: Study, task: str) -> Path:
    """Write `reports/preview-TASK.html` of the task's first HIT; its pictures are the study's own files.

    Raises:
        InputError: nothing of that task is planned yet.
        SettingsError: the page is larger than a marketplace takes.
    """
    task_kind = kind(task)
    query = sa.select(tables.hits).where(tables.hits.c.task == task_kind.name)
    hits = study.rows(query.order_by(tables.hits.c.batch.desc(), tables.hits.c.hit_key).limit(1))
    if not hits:
        raise InputError(f"nothing of {task_kind.name} is planned yet; first: photojury annotate plan {task}")
    of_task = sa.select(tables.units).where(tables.units.c.task == task_kind.name)
    units = {row["unit_id"]: row for row in study.rows(of_task)}
    target = study.folder / "reports" / f"preview-{task_kind.name}.html"

    def address(image: str) -> str:
        return Path(os.path.relpath(study.image_path(image), target.parent)).as_posix()

    html = (
        task_kind.page(study, json.loads(hits[0]["inputs"]))
        if task_kind.page
        else page.render(
            task_kind,
            study.settings,
            hits[0]["hit_key"],
            page.questions_of(hits[0], units),
            address,
            examples=page.examples_of(study, task_kind),
            trial=True,
        )
    )
    page.question_xml(html, task_kind)
    write_atomically(target, html.encode())
    return target
