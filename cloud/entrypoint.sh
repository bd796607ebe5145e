#!/bin/sh
# One role of the cloud: web, telemetry, ids, bridge, worker or migrate. Anything else is run as a command of `croody`.
set -eu
role=${1:-web}
case $role in
  web)
    export CROODY_ROLE=web
    exec python -m croody.web --bind "${BIND:-0.0.0.0:8000}" --workers "${WEB_WORKERS:-1}" ;;
  telemetry | ids)
    export CROODY_ROLE=$role
    [ "$role" = telemetry ] && port=9000 || port=9100
    exec gunicorn croody.wsgi:application -k gthread --bind "${BIND:-0.0.0.0:$port}" \
      --workers "${GUNICORN_WORKERS:-3}" --threads "${GUNICORN_THREADS:-4}" --timeout "${GUNICORN_TIMEOUT:-60}" \
      --graceful-timeout 5 --worker-tmp-dir /dev/shm --no-control-socket ;;
  bridge) exec croody-bridge ;;
  worker)
    export CROODY_ROLE=worker
    exec croody worker ;;
  migrate) exec croody setup ;;
  sh | bash | python) exec "$@" ;;
  *) exec croody "$@" ;;
esac
