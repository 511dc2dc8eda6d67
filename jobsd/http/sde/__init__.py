"""The SDE face: the API of SD Elements, served by jobsd under /api/v2."""

from jobsd.http.sde.face import PREFIX, build

__all__ = ["PREFIX", "build"]
