#!/bin/sh
# Runs a program with the variables of the secret `feeds`: what ${NAME} in source files stands for. In the environment
# that a container is declared with, everyone who may list containers would see them.
set -eu
set -a
. /run/secrets/feeds
set +a
exec "$@"
