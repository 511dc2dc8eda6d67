"""A stock Django REST framework app with the resources of SD Elements, served over HTTP. Run as a program.

Nothing in it is ours: models, serializers, filters, paging, authentication and errors are the framework's, put
together as its manuals show. Its one argument is JSON: users (name, password, token, edit), projects, systems.
It prints the port that it listens on.
"""

import json
import sys

import django
from django.apps import apps
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.core.wsgi import get_wsgi_application
from django.db import connection

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    ROOT_URLCONF="urls",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
        "django_filters",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework.authentication.TokenAuthentication",
            "rest_framework.authentication.BasicAuthentication",
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    },
)


class Handler(WSGIRequestHandler):
    """Quiet; a request without Content-Type has none, as with the servers used in production."""

    def get_environ(self):
        return super().get_environ() | {"CONTENT_TYPE": self.headers.get("content-type", "")}

    def log_message(self, *told):
        pass


def main(told):
    django.setup()
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token
    from tables import Project, System

    with connection.schema_editor() as editor:
        for model in [*apps.get_models(), *apps.all_models["sde"].values()]:
            if not model._meta.proxy:
                editor.create_model(model)
    for user in told["users"]:
        made = User.objects.create_user(user["email"], user["email"], user["password"], is_staff=user["edit"])
        Token.objects.create(user=made, key=user["token"])
    bot = "no-reply+admin@localhost"
    User.objects.create_user(bot, bot, first_name="SD Elements", last_name="Service-Bot", is_active=False)
    for key, name in told["projects"].items():
        Project.objects.create(id=int(key), name=name)
    for key, (short, name) in told["systems"].items():
        System.objects.create(id=key, short_name=short, name=name)
    server = WSGIServer(("127.0.0.1", 0), Handler)
    server.set_app(get_wsgi_application())
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
