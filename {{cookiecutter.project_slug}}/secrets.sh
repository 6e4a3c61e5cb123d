#!/bin/sh
# Adds the missing secrets to .env, and changes none that are set.
# With Docker only, or with uv:
#   docker run --rm --user 0 -v "${PWD}:/here" "$(docker build -q .)" sh secrets.sh /here
#   uv run sh secrets.sh .
set -eu
file=$1/.env
[ -e "$file" ] || cp -p "$1/.env.example" "$file" # keeps the owner
chmod 600 "$file"

for name in DJANGO_SECRET_KEY JWT_SIGNING_KEY POSTGRES_PASSWORD; do
	grep -Eq "^${name}(_FILE)?=." "$file" && continue
	case $name in
	JWT_SIGNING_KEY) line=$(python manage.py generate_signing_key 2>/dev/null) ;;
	*) line=$name=$(python -c 'import secrets; print(secrets.token_hex(32))') ;;
	esac
	grep -q "^$name=" "$file" || printf '\n%s=\n' "$name" >>"$file"
	text=$(sed "s|^$name=.*|$line|" "$file")
	printf '%s\n' "$text" >"$file"
done
