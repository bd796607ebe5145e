# shellcheck shell=sh
# Replaces a service while it is in use. The new container starts beside the old one, and apart from the network on which it would be
# found by its name: nobody meets it before it is healthy. The old one goes when the gateway asks it no more.

# Services of which there may be two for a while. All others are one, and away for the seconds that a restart takes.
ROLLING="croody telemetry-gateway ids-ml"

is_rolling() { case " $ROLLING " in *" $1 "*) ;; *) false ;; esac; }
running() { compose ps -q --status running "$1"; }
count() { # LIST
  # shellcheck disable=SC2086 # it is one
  set -- $1
  echo $#
}
address_of() { docker inspect -f '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{$at.IPAddress}}{{println}}{{end}}' "$1" | sed -n 's/^[^ ]*_back //p'; }

# Whether a container is what the compose files and the images would make of it now.
is_current() { # SERVICE CONTAINER
  wanted=$(compose config --hash "$1" | cut -d' ' -f2)
  image=$(compose config --images "$1" | head -1)
  [ "$(docker inspect -f '{{index .Config.Labels "com.docker.compose.config-hash"}} {{.Image}}' "$2")" = \
    "$wanted $(docker image inspect -f '{{.Id}}' "$image" 2>/dev/null)" ]
}

# Healthy within the time that CROODY_PATIENCE_S allows; one that keeps ending, or is called unhealthy, is given up at once.
becomes_healthy() { # CONTAINER
  patience_s=$(setting CROODY_PATIENCE_S)
  until_s=$(($(date +%s) + ${patience_s:-180}))
  while [ "$(date +%s)" -lt "$until_s" ]; do
    state=$(docker inspect -f '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}} {{.RestartCount}}' "$1" 2>/dev/null) || return 1
    case $state in
      "running healthy "*) return 0 ;;
      *" unhealthy "* | exited* | dead* | *" "[3-9] | *" "[1-9][0-9]) return 1 ;;
    esac
    sleep 1
  done
  return 1
}

asked() { # SERVICE [HOSTNAME]: whom the gateway asks for this service; the one of that name is told that it leaves
  compose exec -T gateway curl -s -o /dev/null -D - -m 8 ${2:+-H "X-Leaving: $2"} "http://127.0.0.1:8082/$1" </dev/null 2>/dev/null |
    tr -d '\r' | sed -n 's/^X-Asked: //p'
}

# The gateway learns of an address within two seconds.
sees() { # SERVICE CONTAINER
  tries=0
  until asked "$1" | grep -q "$(address_of "$2"):[0-9]*\$"; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || return 1
    sleep 0.5
  done
}

# Away, with no request on its way. The gateway takes turns, so it is asked until this one was met, said that it leaves, and was passed
# over since; what it has it answers.
retire() { # SERVICE CONTAINER
  at=$(address_of "$2")
  name=$(docker inspect -f '{{.Config.Hostname}}' "$2")
  tries=0 met='' since=0
  while [ -n "$at" ] && [ "$since" -lt 3 ] && [ "$tries" -lt 60 ]; do
    tries=$((tries + 1))
    whom=$(asked "$1" "$name")
    case "$whom," in
      *"$at:"*) met=yes since=0 ;;
      ,) ;;
      *) [ -z "$met" ] || since=$((since + 1)) ;;
    esac
  done
  docker stop "$2" >/dev/null
  docker rm -f "$2" >/dev/null
}

roll() { # SERVICE
  old=$(running "$1")
  if [ -z "$old" ]; then
    compose up -d --no-deps --wait "$1"
    return
  fi
  n=$(count "$old")
  gateway=$(running gateway)
  # shellcheck disable=SC2086 # a list of words
  back=$(docker inspect -f '{{range $name, $at := .NetworkSettings.Networks}}{{println $name}}{{end}}' $old | grep -m 1 '_back$')
  say "$1: el nuevo arranca junto al que hay" "$1: the new one starts beside the one there is"
  compose --progress quiet up --no-start --no-deps --no-recreate --scale "$1=$((2 * n))" "$1" >&2 || true
  new=
  for id in $(compose ps -aq "$1"); do
    case "$old" in *"$id"*) ;; *) new="$new $id" ;; esac
  done
  [ "$(count "$new")" = "$n" ] || give_up "$1" "$new" "no se ha podido crear el nuevo" "the new one could not be made"
  for id in $new; do
    docker network disconnect "$back" "$id"
    docker start "$id" >/dev/null || give_up "$1" "$new" "el nuevo no arranca" "the new one does not start"
  done
  for id in $new; do
    becomes_healthy "$id" || give_up "$1" "$new" "el nuevo no llega a estar sano" "the new one does not become healthy"
  done
  for id in $new; do
    docker network connect --alias "$1" "$back" "$id"
    [ -z "$gateway" ] || sees "$1" "$id" || give_up "$1" "$new" "la entrada no llega al nuevo" "the gateway does not reach the new one"
  done
  for id in $old; do retire "$1" "$id"; done
}

give_up() { # SERVICE CONTAINERS ES EN
  for id in $2; do
    docker logs --tail 15 "$id" >&2 || true
    retire "$1" "$id"
  done
  fail "$1: $3 (sus últimas líneas están arriba) y se ha retirado; el anterior sigue en servicio. Corrige la causa y repite" \
    "$1: $4 (its last lines are above) and was removed; the old one goes on serving. Mend the cause and run this again"
}
