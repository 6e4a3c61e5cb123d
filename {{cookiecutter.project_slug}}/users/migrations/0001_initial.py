# jinja: for module in cookiecutter.extra_claims | claim_imports
# jinja: print "import " ~ module ~ "\n"
# jinja: endfor
# jinja: if cookiecutter.extra_claims | claim_imports
# jinja: print "\n"
# jinja: endif
# jinja: if cookiecutter.login_field == "username"
import django.contrib.auth.models
import django.contrib.auth.validators
# jinja: endif
import django.utils.timezone
# jinja: if cookiecutter.login_field == "email"
import users.models
# jinja: endif
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("is_superuser", models.BooleanField(default=False, help_text="Designates that this user has all permissions without explicitly assigning them.", verbose_name="superuser status")),
                # jinja: if cookiecutter.login_field == "username"
                ("username", models.CharField(error_messages={"unique": "A user with that username already exists."}, help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.", max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name="username")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                # jinja: else
                ("email", users.models.LowercaseEmailField(max_length=254, unique=True, verbose_name="email address")),
                # jinja: endif
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("is_staff", models.BooleanField(default=False, help_text="Designates whether the user can log into this admin site.", verbose_name="staff status")),
                ("is_active", models.BooleanField(default=True, help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.", verbose_name="active")),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                # jinja: for claim in cookiecutter.extra_claims | new_fields
                # jinja: print "                (\"" ~ claim.name ~ "\", " ~ claim.migration_field ~ "),\n"
                # jinja: endfor
                ("groups", models.ManyToManyField(blank=True, help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.", related_name="user_set", related_query_name="user", to="auth.group", verbose_name="groups")),
                ("user_permissions", models.ManyToManyField(blank=True, help_text="Specific permissions for this user.", related_name="user_set", related_query_name="user", to="auth.permission", verbose_name="user permissions")),
            ],
            options={"verbose_name": "user", "verbose_name_plural": "users", "abstract": False},
            # jinja: if cookiecutter.login_field == "username"
            managers=[("objects", django.contrib.auth.models.UserManager())],
            # jinja: endif
        ),
        migrations.CreateModel(
            name="Failure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=96)),
                ("attempt", models.CharField(db_index=True, max_length=32)),
                ("time", models.DateTimeField(db_index=True)),
            ],
            options={"indexes": [models.Index(fields=["key", "time"], name="users_failure_recent")]},
        ),
    ]
