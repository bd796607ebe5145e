# shellcheck shell=sh
# Replaces a service while it is in use. The new container starts beside the old one, and apart from the network on which it would be
# found by its name: nobody meets it before it is healthy. The old one goes when the gateway asks it no more.

# Services of which there may be two for a while. All others are one, and away for the seconds that a restart takes.
ROLLING="croody telemetry-gateway ids-ml"

is_rolling() { case " $ROLLING " in *" $1 "*) ;; *) false ;; esac; }
# Containers of this system, the oldest first. Without those of `run`, which Compose's own ps -a and ps --status list too: a backup that
# somebody asked for is not the service `backup`.
own() { # [OPTIONS of docker ps]
  docker ps --no-trunc --filter "label=com.docker.compose.project=$(project)" --filter label=com.docker.compose.oneoff=False "$@" |
    sed '1!G; h; $!d'
}
running() { # [SERVICE]
  own -q --filter status=running ${1:+--filter "label=com.docker.compose.service=$1"}
}
# What is left of a file that COMPOSE_FILE no longer names runs too, and compose would know no such service.
running_services() {
  own --filter status=running --format '{{.Label "com.docker.compose.service"}}' | sort -u | grep -xF "$(compose config --services)"
}
every() { # SERVICE, also those that do not run
  own -aq --filter "label=com.docker.compose.service=$1"
}
count() { # LIST
  # shellcheck disable=SC2086 # it is one
  set -- $1
  echo $#
}
networks() { docker inspect -f '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{$at.IPAddress}}{{println}}{{end}}' "$1"; }
address_of() { networks "$1" | sed -n 's/^[^ ]*_back //p'; }

# What the compose files say now: of each service a hash, of each secret its file.
look() {
  hashes=$(compose config --hash '*')
  secret_files=$(compose config | awk '
    /^[^ ]/ { on = $0 == "secrets:" }
    on && /^  [^ ]/ { name = $1; sub(/:$/, "", name) }
    on && /^    file: / { sub(/^    file: /, ""); print name, $0 }')
}

# Whether a container is what the compose files ($hashes) and the images would make of it now. The name of its image is part of the hash.
is_current() { # SERVICE CONTAINER
  wanted=$(printf '%s\n' "$hashes" | sed -n "s/^$1 //p")
  found=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.config-hash"}} {{.Image}} {{.Config.Image}}' "$2")
  [ "$found" = "$wanted $(docker image inspect -f '{{.Id}}' "${found##* }" 2>/dev/null) ${found##* }" ]
}

# Containers of a service that run and are not, or read a secret that changed since.
stale() { # SERVICE
  for id in $(running "$1"); do
    if ! is_current "$1" "$id" || [ -n "$(changed_since "$id")" ]; then echo "$id"; fi
  done
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

inside() { compose exec -T gateway "$@" </dev/null 2>/dev/null; }
port_of() { case $1 in croody) echo 8000 ;; telemetry-gateway) echo 9000 ;; *) echo 9100 ;; esac; }

asked() { # SERVICE [HOSTNAME]: whom the gateway asks for this service; the one of that name is told that it leaves
  inside curl -s -o /dev/null -D - -m 20 ${2:+-H "X-Leaving: $2"} "http://127.0.0.1:8082/$1" |
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

# Away, with no request on its way. All requests go by the list of those that leave; the gateway takes turns, so it is asked until this one
# was met, said that it leaves, and was passed over since. What was sent to it before is before one more question in its queue; then it
# answers what it has. The gateway forgets an address within two seconds, and goes back to the list of every day.
retire() { # SERVICE CONTAINER
  at=$(address_of "$2")
  [ -n "$(running gateway)" ] || at=
  if [ -z "$at" ]; then
    docker stop "$2" >/dev/null
    docker rm -f "$2" >/dev/null
    return
  fi
  name=$(docker inspect -f '{{.Config.Hostname}}' "$2")
  inside touch "/run/leaving.$1" || true
  tries=0 met='' since=0
  while [ "$since" -lt 3 ] && [ "$tries" -lt 60 ]; do
    tries=$((tries + 1))
    whom=$(asked "$1" "$name")
    case "$whom," in
      *"$at:"*) met=yes since=0 ;;
      ,) ;;
      *) [ -z "$met" ] || since=$((since + 1)) ;;
    esac
  done
  inside curl -s -o /dev/null -m 20 "http://$at:$(port_of "$1")/healthz" || true
  sleep 1
  docker stop "$2" >/dev/null
  docker rm -f "$2" >/dev/null
  sleep 3
  inside rm -f "/run/leaving.$1" || true
}

# The containers of a service, but for these.
beside() { # SERVICE CONTAINERS
  for id in $(every "$1"); do
    case "$2" in *"$id"*) ;; *) echo "$id" ;; esac
  done
}

# What a command that was killed left behind: beside one that runs and may be met, all that do not run, or may not; and those that were
# leaving when it was killed, of which it had made a note.
left_behind() { # SERVICE
  met=
  for id in $(running "$1"); do [ -z "$(address_of "$id")" ] || met="$met $id"; done
  [ -n "$met" ] || return 0
  for id in $(beside "$1" "$met"); do
    case $(docker inspect -f '{{.State.Status}}' "$id"),$(networks "$id") in restarting,*_back" "*) continue ;; esac
    echo "$id"
  done
  noted=$(for id in $(sed -n "s/^$1 //p" "$(note)" 2>/dev/null); do case $met in *"$id"*) echo "$id" ;; esac; done)
  # Never all that may be met.
  [ "$(count "$noted")" -ge "$(count "$met")" ] || echo "$noted"
}

sweep() { # SERVICE
  for id in $(left_behind "$1"); do
    say "$1: se retira $(printf %.12s "$id"), que ha quedado de una orden cortada" "$1: removing $(printf %.12s "$id"), left by a command that was killed"
    retire "$1" "$id"
  done
  ! grep -qs "^$1 " "$(note)" || forget_leaving
}

# Who is about to leave, for the case that this command is killed. Where nothing may be written here, nobody knows.
note() { echo ".run/$(project).leaving"; }
note_leaving() { # SERVICE CONTAINERS
  for id in $2; do echo "$1 $id"; done 2>/dev/null >"$(note)" || true
}
forget_leaving() { rm -f "$(note)" 2>/dev/null || true; }

# Ctrl-C, or a lost terminal, while there are more than are wanted: the new ones go, or the old ones where the new ones are met already.
cut_off() { # SERVICE
  trap '' INT TERM HUP
  # In a shell of its own: where the terminal is lost, saying so fails.
  (say "$1: interrumpido; se retira el que sobra" "$1: interrupted; the one too many is removed") || true
  [ -n "$leaving" ] || leaving=$(beside "$1" "$old")
  for id in $leaving; do retire "$1" "$id" || true; done
  exit 130
}

# More of a service, met when they are healthy.
join() { # SERVICE N
  old=$(every "$1")
  gateway=$(running gateway)
  service=$1 leaving=
  trap 'cut_off "$service"' INT TERM HUP
  compose --progress quiet up --no-start --no-deps --no-recreate --scale "$1=$(($(count "$old") + $2))" "$1" >&2 || true
  new=$(beside "$1" "$old")
  [ "$(count "$new")" = "$2" ] || give_up "$1" "$new" "no se ha podido crear el nuevo" "the new one could not be made"
  for id in $new; do
    back=$(networks "$id" | sed -n 's/^\([^ ]*_back\) .*/\1/p')
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
}

give_up() { # SERVICE CONTAINERS ES EN
  for id in $2; do
    docker logs --tail 15 "$id" >&2 || true
    retire "$1" "$id"
  done
  fail "$1: $3 (sus últimas líneas están arriba) y se ha retirado; el anterior sigue en servicio. Corrige la causa y repite" \
    "$1: $4 (its last lines are above) and was removed; the old one goes on serving. Mend the cause and run this again"
}

# New ones in the place of these, or of all that run.
roll() { # SERVICE [CONTAINERS]
  sweep "$1"
  going=${2:-$(running "$1")}
  if [ -z "$going" ]; then
    n=$(count "$(every "$1")")
    compose up -d --no-deps --wait --scale "$1=$((n ? n : 1))" "$1"
    return
  fi
  say "$1: el nuevo arranca junto al que hay" "$1: the new one starts beside the one there is"
  join "$1" "$(count "$going")"
  leaving=$going
  note_leaving "$1" "$going"
  say "$1: el nuevo atiende, y el anterior se va" "$1: the new one serves, and the old one leaves"
  for id in $going; do retire "$1" "$id"; done
  forget_leaving
  trap - INT TERM HUP
}
