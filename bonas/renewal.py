"""Renewal: the claims of a living process hold as long as it lives, whatever it does meanwhile.

`ask` and `tell` may lie hours apart, in a loop that knows of no lease; a lease that expired in
between would hand the trial to another process, and one of the two observations would be lost.
"""

import logging
import threading
import weakref

import optuna
from optuna.storages import BaseStorage

from bonas.claims import LEASE
from bonas.lease import DURATION, Lease, Owner

_log = logging.getLogger(__name__)


class Renewal:
    """Renews the leases of trials from one thread, which runs while there are any.

    The thread is a daemon: it does not keep the process alive, nor a study that nobody holds any
    more, whose trials nobody could tell.
    """

    def __init__(self, storage: BaseStorage) -> None:
        """Renew in `storage`."""
        self._storage = storage
        self._lock = threading.Lock()
        self._trials: dict[int, int] = {}  # Optuna's identifier -> number
        self._ended = threading.Event()  # of the thread that runs, if one does

    def begin(self, identifier: int, number: int) -> None:
        """Renew this trial's lease from now on, a third of the lease's duration apart."""
        with self._lock:
            if not self._trials:
                self._ended = threading.Event()
                threading.Thread(
                    target=_renew_until,
                    args=(self._ended, weakref.ref(self)),
                    name="bonas leases",
                    daemon=True,
                ).start()
            self._trials[identifier] = number

    def end(self, identifier: int) -> None:
        """Leave this trial's lease as it is; of one that is not renewed, nothing happens."""
        with self._lock:
            if self._trials.pop(identifier, None) is not None and not self._trials:
                self._ended.set()

    def renew(self) -> None:
        """Renew every lease once. A trial that another process has taken or finished is let go:
        whoever tells it learns that."""
        with self._lock:
            trials = dict(self._trials)
        for identifier, number in trials.items():
            try:
                stored = self._storage.get_trial(identifier).user_attrs.get(LEASE)
                lease = Lease.from_attribute(stored)
                if lease is not None and lease.owner != Owner.here():
                    _log.warning("trial %d was taken over by %s.", number, lease.owner)
                    self.end(identifier)
                    continue
                attribute = Lease.now().to_attribute()
                self._storage.set_trial_user_attr(identifier, LEASE, attribute)
            except (optuna.exceptions.UpdateFinishedTrialError, KeyError):  # KeyError: deleted
                self.end(identifier)
            except (optuna.exceptions.StorageInternalError, OSError) as error:
                _log.warning(
                    "the lease of trial %d could not be renewed: %s. The next attempt is in %g s.",
                    number,
                    error,
                    DURATION / 3,
                )


def _renew_until(ended: threading.Event, renewal: "weakref.ref[Renewal]") -> None:
    while not ended.wait(DURATION / 3):
        living = renewal()
        if living is None:
            return
        living.renew()
        del living  # held for the time of waiting, it would never be collected
