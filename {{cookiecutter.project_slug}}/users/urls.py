from django.urls import path

from users.views import MeView, PasswordView

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("me/password/", PasswordView.as_view(), name="password"),
]
