"""The SDE face: the API of SD Elements, served by jobsd under /api/v2."""

from jobsd.http.sde.face import ADDRESSES, PREFIX, build

__all__ = ["ADDRESSES", "PREFIX", "build"]
