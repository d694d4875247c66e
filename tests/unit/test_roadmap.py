"""The roadmap that ships: 7 stages, 27 topics, in the order they build on each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import shipped
from grader.catalog import load_roadmap
from grader.catalog.parse import parse_roadmap
from grader.errors import ExerciseError
from grader.model.exercise import Topic

STAGES = {
    "Programming Foundations": [
        "python-basics",
        "data-structures",
        "shell-scripting",
        "git-version-control",
    ],
    "Networking, HTTP & Web Fundamentals": ["internet-basics", "http-rest", "json-serialization"],
    "Server Frameworks & API Development": ["node-express", "fastapi", "auth", "api-testing"],
    "Databases & Data Modeling": ["relational-sql", "mongodb", "orm", "indexing"],
    "DevOps, Deployment & Infrastructure": ["docker", "ci-cd", "cloud", "secrets"],
    "Advanced Backend Concepts": ["redis-caching", "message-queues", "websockets", "graphql"],
    "System Design & Job Readiness": ["system-design", "api-design", "observability", "portfolio"],
}
ROADMAP = load_roadmap(shipped.exercises())
TOPICS = ROADMAP.topics()


def test_stages_and_topics_are_in_order() -> None:
    """Seven stages hold the 27 topics in the roadmap's order."""
    got = {stage.title: [topic.slug for topic in stage.topics] for stage in ROADMAP.stages}
    assert got == STAGES
    assert [stage.number for stage in ROADMAP.stages] == list(range(1, 8))
    assert len(TOPICS) == 27


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.slug)
def test_every_topic_says_why_and_where_to_read(topic: Topic) -> None:
    """A topic has a one-line reason and two to four secure links, none twice."""
    assert topic.reason.endswith(".")
    assert "\n" not in topic.reason
    links = [resource.url for resource in topic.resources]
    assert 2 <= len(links) <= 4
    assert all(link.startswith("https://") for link in links)
    assert len(set(links)) == len(links)


def test_a_topic_listed_twice_is_a_problem() -> None:
    """The second place is named, and the first."""
    topic = "{slug: a, title: A, reason: R., resources: [{title: T, url: 'https://x.org'}]}"
    text = f"format: 1\nstages:\n  - title: S\n    topics:\n      - {topic}\n      - {topic}\n"
    roadmap, problems = parse_roadmap(text, "roadmap.yaml")
    assert roadmap is None
    assert [str(problem) for problem in problems] == [
        "roadmap.yaml:6: the topic 'a' is listed twice, first on line 5"
    ]


def test_a_missing_roadmap_is_named(tmp_path: Path) -> None:
    """A catalog without roadmap.yaml is a broken catalog."""
    with pytest.raises(ExerciseError) as raised:
        load_roadmap(tmp_path)
    assert str(raised.value.problems[0]) == f"{tmp_path / 'roadmap.yaml'}: the file is missing"


def test_a_link_must_be_secure() -> None:
    """A link that is not https is a problem of its line."""
    text = """\
format: 1
stages:
  - title: S
    topics:
      - {slug: a, title: A, reason: R., resources: [{title: T, url: "http://x.org"}]}
"""
    _, problems = parse_roadmap(text, "r")
    assert [problem.line for problem in problems] == [5]
    assert problems[0].fix == "a link begins with https://"
