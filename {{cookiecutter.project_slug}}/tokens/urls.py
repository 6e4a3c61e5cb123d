from django.urls import path

from tokens import views

urlpatterns = [
    path("token/", views.TokenObtainPairView.as_view(), name="token_obtain_pair"),
    path("token/refresh/", views.TokenRefreshView.as_view(), name="token_refresh"),
    path("token/verify/", views.TokenVerifyView.as_view(), name="token_verify"),
    path("token/blacklist/", views.TokenBlacklistView.as_view(), name="token_blacklist"),
    path("sessions/", views.SessionListView.as_view(), name="sessions"),
    path("sessions/<uuid:pk>/", views.SessionView.as_view(), name="session"),
]
