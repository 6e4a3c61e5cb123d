from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from config.health import LiveView, ReadyView
from tokens.views import JWKSView
from users.views import throttled_admin_login

docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="docs.html", http_method_names=["get", "head"]
)

urlpatterns = [
    path("api/", include("tokens.urls")),
    path("api/users/", include("users.urls")),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs/", docs, name="docs"),
    path(".well-known/jwks.json", JWKSView.as_view(), name="jwks"),
    path("health/live/", LiveView.as_view(), name="live"),
    path("health/ready/", ReadyView.as_view(), name="ready"),
    path("admin/login/", throttled_admin_login),
    path("admin/", admin.site.urls),
]

handler400 = "config.api.error_400"
handler403 = "config.api.error_403"
handler404 = "config.api.error_404"
handler500 = "config.api.error_500"
