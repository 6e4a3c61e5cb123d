from django.urls import path

# jinja: if cookiecutter.refresh_token_in == "cookie"
# jinja: print "from tokens import cookies, views\n\n"
# jinja: else
# jinja: print "from tokens import views\n\n"
# jinja: endif
urlpatterns = [
    # jinja: if cookiecutter.refresh_token_in == "cookie"
    path("token/", cookies.LoginView.as_view(), name="token_obtain_pair"),
    path("token/refresh/", cookies.RefreshView.as_view(), name="token_refresh"),
    path("token/blacklist/", cookies.LogoutView.as_view(), name="token_blacklist"),
    # jinja: else
    path("token/", views.TokenObtainPairView.as_view(), name="token_obtain_pair"),
    path("token/refresh/", views.TokenRefreshView.as_view(), name="token_refresh"),
    path("token/blacklist/", views.TokenBlacklistView.as_view(), name="token_blacklist"),
    # jinja: endif
    path("token/verify/", views.TokenVerifyView.as_view(), name="token_verify"),
    path("sessions/", views.SessionListView.as_view(), name="sessions"),
    path("sessions/<uuid:pk>/", views.SessionView.as_view(), name="session"),
]
