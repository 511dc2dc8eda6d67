"""Where the app answers."""

from django.urls import include, path, re_path
from rest_framework import routers
from shapes import ConnectionTest, ConnectorTest
from views import Connections, Connectors, Files, Jobs, KindJobs, Me, Projects, Tests, Throttled

KINDS = ["alm", "analysis", "ldap"]


def of_kind(view, kind):
    """The view for one kind."""
    return type(f"{kind}{view.__name__}", (view,), {"kind": kind})


class EitherSlash(routers.SimpleRouter):
    """Paths with and without the slash at their end."""

    def __init__(self):
        super().__init__()
        self.trailing_slash = "/?"


router = EitherSlash()
for kind in KINDS:
    router.register(f"jobs/{kind}", of_kind(KindJobs, kind), f"{kind}-job")
    router.register(f"connections/{kind}", of_kind(Connections, kind), f"{kind}-connection")
    router.register(f"connectors/{kind}", of_kind(Connectors, kind), f"{kind}-connector")
    router.register(rf"projects/(?P<project>\d+)/jobs/{kind}", of_kind(KindJobs, kind), f"project-{kind}-job")
router.register("projects", Projects, "project")
urlpatterns = [
    path(
        "api/v2/",
        include(
            [
                re_path("^jobs/?$", Jobs.as_view({"get": "list"})),
                re_path("^jobs/analysis-file/?$", Files.as_view({"post": "create"})),
                re_path("^connectors/test(?:alm|analysis)/?$", Tests.as_view(serializer=ConnectorTest)),
                re_path("^connections/test(?:alm|analysis)/?$", Tests.as_view(serializer=ConnectionTest)),
                re_path("^users/me/?$", Me.as_view()),
                re_path("^throttled/?$", Throttled.as_view()),
                *router.urls,
            ]
        ),
    )
]
