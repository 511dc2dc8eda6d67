"""What the app answers."""

# ruff: noqa: D106, RUF012 - as the framework has them

import django_filters
from rest_framework import mixins, pagination, permissions, serializers, status, throttling, viewsets
from rest_framework.response import Response
from rest_framework.views import APIView
from shapes import (
    ConnectionSerializer,
    ConnectorSerializer,
    DirectorySerializer,
    FileSerializer,
    InitiateSerializer,
    JobSerializer,
    ProjectSerializer,
    ResultSerializer,
    UserSerializer,
)
from tables import Connection, Connector, Job, Project


class JobFilters(django_filters.FilterSet):
    automatic = django_filters.BooleanFilter()
    connection = django_filters.NumberFilter()
    ready = django_filters.BooleanFilter()
    succeeded = django_filters.BooleanFilter()
    user = django_filters.CharFilter(field_name="user__email")

    class Meta:
        model = Job
        fields = ["automatic", "connection", "ready", "succeeded", "user"]


class ConnectionFilters(django_filters.FilterSet):
    project = django_filters.NumberFilter()

    class Meta:
        model = Connection
        fields = ["project"]


class Paging(pagination.PageNumberPagination):
    page_size = None
    page_size_query_param = "page_size"


class Editing(permissions.BasePermission):
    def has_permission(self, request, view):
        return request.method in permissions.SAFE_METHODS or request.user.is_staff


class Listing(viewsets.GenericViewSet):
    """Lists stand in `results` also where they are not paged."""

    permission_classes = [permissions.IsAuthenticated, Editing]
    pagination_class = Paging
    kind = None

    def list(self, request, *args, **kwargs):
        found = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(found)
        if page is not None:
            return self.get_paginated_response(self.get_serializer(page, many=True).data)
        return Response({"results": self.get_serializer(found, many=True).data})

    def get_queryset(self):
        found = self.model.objects.order_by(self.order)
        return found.filter(**{self.of_kind: self.kind}) if self.kind else found


class Jobs(Listing):
    model, order, of_kind = Job, "-id", "connection__kind"
    serializer_class = JobSerializer
    filterset_class = JobFilters

    def get_queryset(self):
        found = super().get_queryset()
        project = self.kwargs.get("project")
        return found.filter(connection__project=project) if project else found


class KindJobs(mixins.CreateModelMixin, mixins.RetrieveModelMixin, Jobs):
    def get_serializer_class(self):
        if self.request.method != "POST":
            return JobSerializer
        asked = self.request.data
        ready = asked.get("ready", True) if isinstance(asked, dict) else True
        initiates = (
            ready in serializers.BooleanField.FALSE_VALUES if isinstance(ready, (bool, str, int)) else False
        )
        return InitiateSerializer if initiates else ResultSerializer


class Files(mixins.CreateModelMixin, Listing):
    serializer_class = FileSerializer

    list = None


class Writing(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, Listing):
    order, of_kind = "id", "kind"

    def perform_create(self, serializer):
        serializer.save(kind=self.kind)


class Connectors(Writing):
    model, serializer_class = Connector, ConnectorSerializer


class Connections(Writing):
    model, filterset_class = Connection, ConnectionFilters

    def get_serializer_class(self):
        return DirectorySerializer if self.kind == "ldap" else ConnectionSerializer

    def perform_create(self, serializer):
        connector = serializer.validated_data.get("connector")
        copied = {"inaccessible": connector.inaccessible} if connector else {}
        serializer.save(kind=self.kind, **copied)


class Projects(mixins.RetrieveModelMixin, Listing):
    model, order, serializer_class = Project, "id", ProjectSerializer


class Me(APIView):
    def get(self, request):
        return Response(UserSerializer(request.user).data)


class Often(throttling.UserRateThrottle):
    rate = "2/min"


class Throttled(APIView):
    throttle_classes = [Often]

    def get(self, request):
        return Response(status=status.HTTP_204_NO_CONTENT)


class Tests(APIView):
    permission_classes = [permissions.IsAuthenticated, Editing]
    serializer = None

    def post(self, request):
        self.serializer(data=request.data).is_valid(raise_exception=True)
        return Response({"success": True})
