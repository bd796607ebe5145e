#!/bin/sh
# One role of the cloud: web, telemetry, ids, bridge, worker, or prepare (what has to be done once before them).
# Anything else is run as a command of `croody`.
set -eu
role=${1:-web}
case $role in
  web)
    export CROODY_ROLE=web
    exec python -m croody.serve --access-log --bind "${BIND:-0.0.0.0:8000}" --workers "${WEB_WORKERS:-1}" ;;
  telemetry | ids)
    export CROODY_ROLE="$role"
    if [ "$role" = telemetry ]; then port=9000; else port=9100; fi
    # Every relay of the bridge as well, so that a reading can be followed by the id in both logs.
    if [ "${CROODY_TRACE:-0}" = 1 ]; then logger=TracingAccessLog; else logger=AccessLog; fi
    exec gunicorn croody.serve.wsgi:application --config python:croody.serve.gunicorn_settings -k croody.serve.whole_requests.Worker --bind "${BIND:-0.0.0.0:$port}" \
      --workers "${GUNICORN_WORKERS:-3}" --threads "${GUNICORN_THREADS:-4}" --timeout "${GUNICORN_TIMEOUT:-60}" \
      --graceful-timeout 5 --worker-tmp-dir /dev/shm --no-control-socket --logger-class "croody.serve.access_log.$logger" \
      --access-logfile - --access-logformat '%(t)s %({x-real-ip}i)s %(m)s %(U)s %(s)s %(M)sms request_id=%({x-request-id}i)s' ;;
  bridge)
    # Bridges that share the work need names of their own; so do two containers of one service. No container comes back under the name of
    # another, so one that ends leaves its share to the others.
    case ${BRIDGE_SHARE:-0} in
      0 | false | no | off) ;;
      *) if [ -z "${BRIDGE_NAME:-}" ]; then
           BRIDGE_NAME=$(hostname)
           export BRIDGE_NAME BRIDGE_LEAVES=1
         fi ;;
    esac
    exec croody-bridge ;;
  worker)
    export CROODY_ROLE=worker
    exec croody worker ;;
  prepare) exec python -m croody.operations.prepare ;;
  sh | bash | python | wget | openssl | cat) exec "$@" ;;
  *) exec croody "$@" ;;
esac
