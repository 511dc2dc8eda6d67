"""The CCS face: the job API of Control Compliance Suite, served by jobsd under /ccs/api/v1."""

from jobsd.http.ccs.face import PREFIX, build

__all__ = ["PREFIX", "build"]
