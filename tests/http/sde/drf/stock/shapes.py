"""What the app reads and shows."""

# ruff: noqa: D106, RUF012 - as the framework has them

from django.contrib.auth.models import User
from rest_framework import serializers
from tables import Connection, Connector, Job, Project, System

FREQUENCIES = ["hourly", "daily", "weekly", "monthly", "manually"]


class Key(serializers.PrimaryKeyRelatedField):
    """An id that has to be a whole number before it is looked up."""

    def __init__(self, **options):
        super().__init__(pk_field=serializers.IntegerField(), **options)


class SystemSerializer(serializers.Serializer):
    id = serializers.PrimaryKeyRelatedField(queryset=System.objects.all())

    def to_representation(self, system):
        return {"id": system.id, "short_name": system.short_name, "name": system.name}


class UserSerializer(serializers.ModelSerializer):
    role = serializers.SerializerMethodField()
    password_reset_in_progress = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "email", "first_name", "last_name", "last_login", "date_joined", "is_active",
                  "is_superuser", "role", "groups", "password_reset_in_progress"]  # fmt: skip

    def get_role(self, user):
        return {"id": "UR4", "name": "Administrator"}

    def get_password_reset_in_progress(self, user):
        return False


class ProjectSerializer(serializers.ModelSerializer):
    class Meta:
        model = Project
        fields = ["id", "name"]


class Concealing:
    """Params are for those who may edit."""

    def to_representation(self, thing):
        shown = super().to_representation(thing)
        if not self.context["request"].user.is_staff:
            shown.pop("params")
        return shown


class Merging:
    """A PATCH puts params over those that stand, as the pages show it; the framework alone would replace them."""

    def update(self, thing, validated):
        if self.partial and "params" in validated:
            validated["params"] = {**thing.params, **validated["params"]}
        return super().update(thing, validated)


class ConnectorSerializer(Concealing, Merging, serializers.ModelSerializer):
    name = serializers.CharField()
    system = SystemSerializer()
    inaccessible = serializers.BooleanField(default=False)
    params = serializers.DictField()

    class Meta:
        model = Connector
        fields = ["id", "name", "system", "inaccessible", "params"]

    def create(self, validated):
        return Connector.objects.create(**validated | {"system": validated["system"]["id"]})

    def update(self, connector, validated):
        if system := validated.pop("system", None):
            validated |= {"system": system["id"]} if "id" in system else {}
        return super().update(connector, validated)


class ConnectionSerializer(Concealing, Merging, serializers.ModelSerializer):
    alias = serializers.CharField()
    frequency = serializers.ChoiceField(FREQUENCIES, default="manually")
    debug_mode = serializers.BooleanField(default=False)
    connector = Key(queryset=Connector.objects.all())
    project = Key(queryset=Project.objects.all())
    params = serializers.DictField()

    class Meta:
        model = Connection
        fields = ["id", "alias", "frequency", "debug_mode", "params", "inaccessible", "connector", "project"]
        read_only_fields = ["inaccessible"]

    def to_representation(self, one):
        shown = super().to_representation(one)
        if "params" in shown:
            shown["params"] = {**one.connector.params, **one.params}
        shown |= {"command": f"sync_{one.connector.system_id}"}
        shown["system"] = SystemSerializer(one.connector.system).data
        if self.context["request"].method in {"PUT", "PATCH"} or "pk" in self.context["view"].kwargs:
            del shown["system"]["short_name"]
        return shown | self.listed(one)

    def listed(self, one):
        request = self.context["request"]
        if request.method != "GET" or "pk" in self.context["view"].kwargs:
            return {}
        found = {"in_progress": one.job_set.filter(ready=False).exists()}
        if "last_job" in request.query_params.get("include", "").split(","):
            last = one.job_set.order_by("-id").first()
            names = ["id", "user", "succeeded", "automatic", "ready", "result_message"]
            found["last_job"] = last and {name: getattr(last, name) for name in names} | {
                "user": last.user_id, "last_run": serializers.DateTimeField().to_representation(last.last_run),
            }  # fmt: skip
        return found


class DirectorySerializer(Concealing, Merging, serializers.ModelSerializer):
    alias = serializers.CharField()
    frequency = serializers.ChoiceField(FREQUENCIES, default="manually")
    inaccessible = serializers.BooleanField(default=False)
    params = serializers.DictField()

    class Meta:
        model = Connection
        fields = ["id", "alias", "frequency", "params", "inaccessible"]

    def to_representation(self, one):
        shown = super().to_representation(one) | {"command": "sync_ldap", "system": "LDAP"}
        return shown | ConnectionSerializer.listed(self, one)


class JobSerializer(serializers.ModelSerializer):
    """Any job as it is shown."""

    class Meta:
        model = Job
        fields = ["id", "automatic", "ready", "succeeded", "result_message", "last_run"]

    def to_representation(self, job):
        shown = super().to_representation(job)
        request = self.context["request"]
        expanded = request.query_params.get("expand", "").split(",")
        for name in ("user", "triggered_by"):
            if person := getattr(job, name):
                shown[name] = UserSerializer(person).data if name in expanded else person.email
        one = job.connection
        names = ["id", "alias", "frequency"]
        names += ["inaccessible"] if one.kind == "ldap" else []
        shown["connection"] = {name: getattr(one, name) for name in names}
        system = one.connector.system if one.connector else System("ldap", "LDAP", "LDAP")
        shown["connection"] |= {"command": f"sync_{system.id}", "system": system.name}
        if one.kind != "ldap":
            shown["connection"]["project"] = one.project_id
        if request.user.is_staff:
            shown["connection"]["params"] = {**(one.connector.params if one.connector else {}), **one.params}
        return shown | ({"attachment": None} if self.context["view"].kind else {})


class ResultSerializer(serializers.Serializer):
    """What is posted with `ready` true or missing."""

    connection = Key(queryset=Connection.objects.all())
    automatic = serializers.BooleanField()
    ready = serializers.BooleanField(default=True)
    succeeded = serializers.BooleanField()
    result_message = serializers.CharField(allow_blank=True)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["connection"].queryset = Connection.objects.filter(kind=self.context["view"].kind)

    def create(self, validated):
        user = self.context["request"].user
        return Job.objects.create(**validated, user=user, triggered_by=user)

    def to_representation(self, job):
        return JobSerializer(job, context=self.context).data


class InitiateSerializer(ResultSerializer):
    """What is posted with `ready` false."""

    succeeded = serializers.BooleanField(required=False)
    result_message = serializers.CharField(required=False, allow_blank=True)

    def create(self, validated):
        user = self.context["request"].user
        told = {name: validated[name] for name in ("connection", "automatic", "ready")}
        bot = User.objects.get(is_active=False)
        return Job.objects.create(**told, user=bot, triggered_by=user)

    def to_representation(self, job):
        """As the pages have it: who runs it is told at once for a directory only."""
        shown = super().to_representation(job)
        if self.context["view"].kind != "ldap":
            del shown["user"]
        return shown


class FileSerializer(serializers.Serializer):
    report_file = serializers.FileField()
    system = serializers.PrimaryKeyRelatedField(queryset=System.objects.all())
    project = Key(queryset=Project.objects.all())
    params = serializers.JSONField(required=False)


class ConnectorTest(serializers.Serializer):
    name = serializers.CharField()
    system = SystemSerializer()
    params = serializers.DictField()


class ConnectionTest(serializers.Serializer):
    alias = serializers.CharField()
    connector = Key(queryset=Connector.objects.all(), required=False)
    project = Key(queryset=Project.objects.all(), required=False)
    system = SystemSerializer()
    params = serializers.DictField()
