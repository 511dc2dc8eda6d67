"""The stand-in: the daemon itself with faults to order, for tests and for operators who rehearse.

`Rehearsal` is a layer around the daemon's HTTP application. It knows the faces only by their requests and answers,
so that a rehearsed client meets the very API that is served otherwise.
"""

from jobsd.rehearsal.rehearsal import Rehearsal

__all__ = ["Rehearsal"]
