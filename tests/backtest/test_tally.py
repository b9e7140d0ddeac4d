"""What rules would have found, counted within bounds."""

from __future__ import annotations

from shipper.backtest import tally
from shipper.backtest.tally import OTHERS, REASONS, SAMPLES, Group, RuleTally, Subject, Tally
from tests.backtest.support import PLACE, SUBJECT, hit


def counted(*hits: tally.Hit) -> Group:
    group = Group()
    for one in hits:
        group.add(PLACE, one)
    return group


def test_hits_are_counted_by_user_namespace_and_workload() -> None:
    """With the first and the last moment, whatever the order in which they come."""
    found = counted(
        hit("a", time="2026-01-02", namespace="x"),
        hit("b", time="2026-01-01", namespace="x"),
        hit("a", time="2026-01-03", namespace="y", workload="db"),
    )
    assert (found.matches, found.users, found.namespaces) == (3, {"a": 2, "b": 1}, {"x": 2, "y": 1})
    assert found.workloads == {"Deployment x/web": 2, "Deployment y/db": 1}
    assert (found.first, found.last) == ("2026-01-01", "2026-01-03")


def test_what_could_not_be_answered_is_no_match() -> None:
    """It is counted apart, by its reason, and so is what is exempt."""
    found = RuleTally()
    for reason in ("no body", "no body", "no cluster"):
        found.undecide(reason)
    found.excuse("the user bob")
    assert (found.matches, found.undecided, found.exempt) == (0, 3, 1)
    assert found.reasons == {"no body": 2, "no cluster": 1}
    assert found.exemptions == {"the user bob": 1}
    assert not found.samples


def test_names_and_reasons_are_bounded() -> None:
    """Who invents users fills no memory: beyond the limit they are counted together."""
    found = RuleTally()
    for number in range(tally.MOST_NAMES + 50):
        found.add(PLACE, hit(f"u{number}"))
    for number in range(REASONS + 5):
        found.undecide(f"reason {number}")
    assert len(found.users) == tally.MOST_NAMES + 1
    assert found.users[OTHERS] == 50
    assert (len(found.reasons), found.reasons[OTHERS]) == (REASONS + 1, 5)


def test_samples_are_the_first_that_differ() -> None:
    """Five of one user and workload tell no more than one; the first of each stays."""
    same = [hit(line=number) for number in range(10)]
    more = [hit(f"u{number}", line=10 + number) for number in range(10)]
    found = counted(*same, *more, hit(workload="db", line=12))
    assert [one.finding.line for one in found.samples] == [0, 10, 11, 12, 13]


def test_samples_are_the_same_whoever_counts() -> None:
    """Which of two processes a batch goes to is chance; what is shown is not."""
    hits = [hit(f"u{number % 9}", line=number) for number in range(30)]
    halves = counted(*hits[::2]), counted(*hits[1::2])
    halves[0].merge(halves[1])
    assert halves[0].samples == counted(*hits).samples


def test_a_change_is_looked_for_in_samples_alone() -> None:
    """To find it may cost a hundred questions."""
    looked = 0

    def change() -> tuple[str, ...]:
        nonlocal looked
        looked += 1
        return ("-x",)

    found = counted(*(hit(f"u{n}", line=n)._replace(change=change) for n in range(50)))
    assert looked == SAMPLES
    assert found.samples[0].change == ("-x",)


def test_what_two_processes_count_adds_up() -> None:
    """Counts, times, samples in the order of the record, and costs."""
    one, other = Tally(), Tally()
    one.of(SUBJECT, severity="low").add(
        PLACE._replace(order=2), hit(time="2026-01-02T00:00:00Z", line=4)
    )
    other.of(SUBJECT).add(
        PLACE._replace(seq=3, order=1), hit("eve", time="2026-01-01T00:00:00Z", line=9)
    )
    other.of(Subject("Policy", "x", "p", "r"), action="deny").undecide("no body")
    one.cost("Policy x/p").add(3000)
    other.cost("Policy x/p").add(1000)
    one.merge(other)
    both = one.rules[SUBJECT]
    assert (both.matches, both.severity, both.users) == (2, "low", {"bob": 1, "eve": 1})
    assert (both.first, both.last) == ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    assert [(sample.seq, sample.finding.line) for sample in both.samples] == [(3, 9), (7, 4)]
    assert one.rules["Policy", "x", "p", "r"].undecided == 1  # type: ignore[index]
    assert one.costs["Policy x/p"].microseconds_each == 2.0


def test_a_subject_says_what_it_is() -> None:
    """As a person would: a rule by its name, a policy by kind, place and rule."""
    assert str(SUBJECT) == "a-rule"
    assert str(Subject("Policy", "team", "limits", "cpu")) == "Policy team/limits, cpu"
    assert str(Subject("ClusterPolicy", "", "latest")) == "ClusterPolicy latest"
