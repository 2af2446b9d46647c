"""Claims on trials: a new one is its process's from the first moment, a dead process's is adopted.

Workers of one study know of each other only by what lies in its storage. A trial carries its
owner's lease (`bonas.lease`) from the record that creates it on, so that no other worker ever sees
it without one. Only an enqueued trial gets its lease a moment after it has begun. Suggestions of
one study are made one after the other, in the order of the trials' numbers.
"""

import logging
import time
from collections.abc import Callable, Collection, Container
from datetime import datetime

import optuna
from optuna.trial import FrozenTrial, TrialState

from bonas.lease import Lease

LEASE = "bonas.lease"
"""The trial's attribute that says who estimates it."""
GRACE = 2.0
"""Seconds in which an enqueued trial that has begun gets its lease, if its process lives."""
SETTLING = 0.5
"""Seconds after which the claims of all who saw the same dead trial are written."""
PATIENCE = 60.0
"""Seconds that a suggestion waits for those before it: as long as a lease. The dearest known
suggestion, with zero-cost scores on demand, takes half of that."""
POLL = 0.05
"""Seconds between two looks at them: about what the cheapest suggestion takes."""
_log = logging.getLogger(__name__)


class TrialLost(RuntimeError):
    """A trial was finished by another process, since this one's claim had expired."""


def trials_of(
    study: optuna.Study, states: Container[TrialState] | None = None
) -> list[FrozenTrial]:
    """All trials of a study, not copied, in the order of their numbers.

    `HyperbandPruner` hands a sampler a study that shows the trials of one bracket alone; what the
    other brackets have is taken all the same.
    """
    return optuna.Study.get_trials(study, deepcopy=False, states=states)


def create(study: optuna.Study) -> optuna.Trial:
    """The next trial of this process: an enqueued one, or a new one.

    `optuna.Study.ask`, but for the lease, which `ask` leaves no place for.
    """
    study._thread_local.cached_all_trials = None
    mine = Lease.now().to_attribute()
    identifier = study._pop_waiting_trial_id()
    if identifier is not None:
        study._storage.set_trial_user_attr(identifier, LEASE, mine)
    else:
        template = optuna.trial.create_trial(state=TrialState.RUNNING, user_attrs={LEASE: mine})
        identifier = study._storage.create_new_trial(study._study_id, template_trial=template)
    return optuna.Trial(study, identifier)


def adopt(study: optuna.Study, owned: Collection[int]) -> optuna.Trial | None:
    """A running trial whose owner died, now this process's, under its own number.

    Args:
        study: The study.
        owned: Numbers of the trials that are this process's already.
    """
    for trial in trials_of(study, (TrialState.RUNNING,)):
        if trial.number not in owned and _is_dead(study, trial) and _take(study, trial):
            return optuna.Trial(study, trial._trial_id)
    return None


def wait_for_earlier(study: optuna.Study, number: int, says: Callable[[FrozenTrial], bool]) -> None:
    """Wait until all trials before `number` that a living process holds say what they estimate.

    A trial that has begun and says nothing yet is one for which a process is computing a
    suggestion: whoever does not wait for it computes the same from the same history. A trial
    without a lease, such as of a plain `optuna.Study.ask`, may never say anything; none is waited
    for.

    Args:
        study: The study.
        number: Of the trial for which a suggestion is wanted.
        says: Whether a trial says what it estimates.
    """
    deadline = None
    while holding := [
        trial.number
        for trial in trials_of(study, (TrialState.RUNNING,))
        if trial.number < number and not says(trial) and _is_held(trial)
    ]:
        if deadline is None:
            deadline = time.monotonic() + PATIENCE
        if time.monotonic() >= deadline:
            _log.warning(
                "trial %d goes on without waiting any longer for what is proposed for the trials "
                "%s, whose processes live and have proposed nothing in %g s.",
                number,
                holding,
                PATIENCE,
            )
            return
        time.sleep(POLL)


def _is_held(trial: FrozenTrial) -> bool:
    lease = Lease.from_attribute(trial.user_attrs.get(LEASE))
    return lease is not None and not lease.is_dead()


def _is_dead(study: optuna.Study, trial: FrozenTrial) -> bool:
    """Whether nobody estimates a running trial any more; waits where only time can tell."""
    lease = Lease.from_attribute(trial.user_attrs.get(LEASE))
    if lease is not None and not lease.is_dead():
        return False
    if lease is None:
        begun = trial.datetime_start or datetime.min
        time.sleep(max(0.0, GRACE - max(0.0, (datetime.now() - begun).total_seconds())))
    # Read again: the list may be older than another worker's claim or end of the trial.
    fresh = study._storage.get_trial(trial._trial_id)
    lease = Lease.from_attribute(fresh.user_attrs.get(LEASE))
    return fresh.state is TrialState.RUNNING and (lease is None or lease.is_dead())


def _take(study: optuna.Study, trial: FrozenTrial) -> bool:
    """Claim a dead owner's trial; of several claimants the last to write has it."""
    mine = Lease.now().to_attribute()
    try:
        study._storage.set_trial_user_attr(trial._trial_id, LEASE, mine)
    except optuna.exceptions.UpdateFinishedTrialError:
        return False
    time.sleep(SETTLING)
    claimed = study._storage.get_trial(trial._trial_id)
    return bool(claimed.state is TrialState.RUNNING and claimed.user_attrs.get(LEASE) == mine)
