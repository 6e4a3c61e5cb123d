from django.db.transaction import non_atomic_requests
from django.urls import path

from users.views import MeView, PasswordView

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    # Outside of any transaction, so that a refusal cannot undo its counting.
    path("me/password/", non_atomic_requests(PasswordView.as_view()), name="password"),
]
