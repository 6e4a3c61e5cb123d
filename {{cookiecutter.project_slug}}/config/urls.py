from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from api.health import live, ready
from tokens.views import JWKSView
from users.views import throttled_admin_login

docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="docs.html", http_method_names=["get", "head"]
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("api/", include("tokens.urls")),
    path("api/users/", include("users.urls")),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs/", docs, name="docs"),
    path(".well-known/jwks.json", JWKSView.as_view(), name="jwks"),
    path("health/live/", live, name="live"),
    path("health/ready/", ready, name="ready"),
    path("admin/login/", throttled_admin_login),
    path("admin/", admin.site.urls),
]

handler400 = "api.errors.error_400"
handler403 = "api.errors.error_403"
handler404 = "api.errors.error_404"
handler500 = "api.errors.error_500"
