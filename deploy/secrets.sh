#!/bin/sh
# Makes the secrets of docker-compose.yml in ./secrets, each once: one that is there is never written again.
# The folder is closed to all others on this machine; inside it the files are open, so that each container's own user can
# read the one file that is mounted into it. Of files that belong together the last one made says that all are there.
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 0700 secrets

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
made() { # NAME [MODE]: standard input becomes the secret, whole or not at all
    cat > "secrets/.$1.draft"
    chmod "${2:-0444}" "secrets/.$1.draft"
    mv "secrets/.$1.draft" "secrets/$1"
    echo "made secrets/$1"
}

if [ ! -e secrets/database_url ]; then
    setup=$(random) app=$(random)
    printf '%s' "$setup" | made postgres_password
    printf 'postgresql://postgres:%s@postgres/postgres\n' "$setup" | made setup_url
    printf '{"onegrid_owner": "%s", "onegrid_app": "%s", "onegrid_auditor": "%s", "airflow": "%s"}\n' \
        "$(random)" "$app" "$(random)" "$(random)" | made roles
    printf 'postgresql://onegrid_app:%s@postgres/onegrid\n' "$app" | made database_url
fi
if [ ! -e secrets/s3_credentials ]; then
    id=$(random) key=$(random)
    printf '{"identities": [{"name": "onegrid", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}\n' "$id" "$key" | made s3_config
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$id" "$key" | made s3_credentials
fi
if [ ! -e secrets/broker_url ]; then
    password=$(random)
    printf 'requirepass %s\nsave ""\n' "$password" | made broker_config
    printf 'redis://:%s@broker:6379/0\n' "$password" | made broker_url
fi
if [ ! -e secrets/feeds ]; then
    printf "# What \${NAME} in source files stands for, a line each: NAME='value'\n" | made feeds 0644
fi
