"""What the app keeps."""

# ruff: noqa: D106, DJ008 - nobody prints them

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone


class Project(models.Model):
    name = models.CharField(max_length=255)

    class Meta:
        app_label = "sde"


class System(models.Model):
    id = models.CharField(max_length=255, primary_key=True)
    short_name = models.CharField(max_length=255)
    name = models.CharField(max_length=255)

    class Meta:
        app_label = "sde"


class Connector(models.Model):
    kind = models.CharField(max_length=16)
    name = models.TextField()
    system = models.ForeignKey(System, on_delete=models.CASCADE)
    inaccessible = models.BooleanField(default=False)
    params = models.JSONField()

    class Meta:
        app_label = "sde"


class Connection(models.Model):
    kind = models.CharField(max_length=16)
    alias = models.TextField()
    connector = models.ForeignKey(Connector, null=True, on_delete=models.CASCADE)
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE)
    frequency = models.CharField(max_length=16)
    inaccessible = models.BooleanField(default=False)
    debug_mode = models.BooleanField(default=False)
    params = models.JSONField()

    class Meta:
        app_label = "sde"


class Job(models.Model):
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    automatic = models.BooleanField()
    ready = models.BooleanField()
    succeeded = models.BooleanField(default=False)
    result_message = models.TextField(blank=True)
    last_run = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    triggered_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        app_label = "sde"
