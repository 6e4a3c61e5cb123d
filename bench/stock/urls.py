"""The endpoints of SimpleJWT's "Getting started", and two that need a token."""

from django.contrib import admin
from django.urls import path
from rest_framework_simplejwt import views

from view import Closed

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/users/me/", Closed.as_view()),
    path("closed/", Closed.as_view()),
]
