# shellcheck shell=sh
# What .env and the environment say, and what has to be here before anything begins.

# The settings that the wrapper itself needs; everything else is between Compose and its files.
SETTINGS="ALLOWED_HOSTS BACKUP_AT BACKUP_DIR BACKUP_EVERY_H BACKUP_USER COMPOSE_PROJECT_NAME CROODY_DOMAIN CROODY_IMAGE
  CROODY_PATIENCE_S CROODY_PULL_POLICY CROODY_VERSION SECRETS_DIR"

# Read by Compose itself, so that quotes, comments and ${...} mean the same to both.
read_settings() {
  settings=$({
    printf 'name: croody\nservices:\n  asked:\n    image: none\n    labels:\n'
    for name in $SETTINGS; do printf '      %s: "${%s:-}"\n' "$name" "$name"; done
  } | docker compose -f - config --format json) ||
    fail "Compose no puede leer .env: corrige lo que dice arriba" "Compose cannot read .env: mend what it says above"
}

setting() { # NAME
  printf '%s\n' "$settings" | sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" |
    sed 's/\\u0026/\&/g; s/\\u003c/</g; s/\\u003e/>/g; s/\\"/"/g; s/\$\$/$/g; s/\\\\/\\/g'
}

# A path as whoever calls means it, who may be in another folder.
given() { # PATH
  case $1 in /* | '') echo "$1" ;; *) echo "$caller/$1" ;; esac
}

need_compose() {
  command -v docker >/dev/null || fail \
    "aquí no hay docker: instala Docker Engine con su complemento Compose (https://docs.docker.com/engine/install/)" \
    "there is no docker here: install Docker Engine with its Compose plugin (https://docs.docker.com/engine/install/)"
  found=$(docker compose version --short 2>/dev/null) ||
    fail "docker no tiene compose: instala el complemento Compose, versión 2.24.4 o posterior" \
      "docker has no compose: install the Compose plugin, version 2.24.4 or later"
  echo "${found#v}" | awk -F '[.+-]' '{ exit $1 + 0 && !($1 > 2 || $1 == 2 && ($2 > 24 || $2 == 24 && $3 >= 4)) }' ||
    fail "Compose $found es demasiado antiguo, y hace falta 2.24.4 o posterior: actualiza el complemento Compose" \
      "Compose $found is too old, and 2.24.4 or later is needed: bring the Compose plugin up to date"
  read_settings
}

need_engine() {
  docker info >/dev/null 2>&1 || fail "el motor Docker no responde: arráncalo, y entra en el grupo docker" \
    "the Docker engine does not answer: start it, and be in the group docker"
}

# What the containers of this system are called by: as Compose makes it of the folder's name.
project() {
  name=$(setting COMPOSE_PROJECT_NAME)
  echo "${name:-$(basename "$PWD" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9_-' | sed 's/^[_-]*//')}"
}

# The folders whose systems have containers of this name.
folders_of() { # NAME
  docker ps -a --filter "label=com.docker.compose.project=$1" --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u
}

# A system that an earlier version made here is called croody, whatever the folder's name is, and goes on under it. Another clone's
# containers are nobody's to replace.
own_name() {
  [ -z "$(setting COMPOSE_PROJECT_NAME)" ] || return 0
  if [ "$(project)" != croody ] && folders_of croody | grep -qxF "$PWD"; then
    COMPOSE_PROJECT_NAME=croody
    export COMPOSE_PROJECT_NAME
    read_settings
    say "este sistema se llama croody: escribe COMPOSE_PROJECT_NAME=croody en .env, para docker compose también" \
      "this system is called croody: write COMPOSE_PROJECT_NAME=croody into .env, for docker compose too"
    return 0
  fi
  folders_of "$(project)" | while read -r folder; do
    # One that was moved is at no other place.
    [ "$folder" != "$PWD" ] && [ -e "$folder/docker-compose.yml" ] || continue
    fail "el sistema de $folder ya se llama $(project) en esta máquina: escribe otro nombre en .env, como COMPOSE_PROJECT_NAME=$(project)-2, y otros puertos" \
      "the system of $folder is called $(project) on this machine already: write another name into .env, such as COMPOSE_PROJECT_NAME=$(project)-2, and other ports"
  done
}

# Also where it does no harm: who set it means something by it.
check_hosts() {
  case ",$(setting ALLOWED_HOSTS | tr -d ' ')," in
    ,, | *",$(setting CROODY_DOMAIN),"*) ;;
    *) say "a ALLOWED_HOSTS=$(setting ALLOWED_HOSTS) le falta el nombre del sitio, $(setting CROODY_DOMAIN): se atiende igualmente; añádelo en .env, o quita la línea" \
      "ALLOWED_HOSTS=$(setting ALLOWED_HOSTS) lacks the site's own name, $(setting CROODY_DOMAIN): it is answered all the same; add it in .env, or take the line out" ;;
  esac
}

# Whether a command that changes the system is at it now.
at_it() {
  command -v flock >/dev/null && [ -r ".run/$(project).lock" ] || return 1
  ! (flock -n 8) 8<".run/$(project).lock"
}

# What changes the system does so alone. The lock is held until the last program of this command has ended, and belongs to whom the
# folder belongs; where there is no flock, or nothing may be written here, there is none.
alone() {
  command -v flock >/dev/null || return 0
  lock=.run/$(project).lock
  # shellcheck disable=SC2012 # two numbers, on every system the same way
  [ -r "$lock" ] || { mkdir -p .run && : >"$lock" && chown "$(ls -nd . | awk '{ print $3 ":" $4 }')" .run "$lock"; } 2>/dev/null ||
    [ -r "$lock" ] || return 0
  exec 8<"$lock"
  flock -n 8 || fail "otra orden (up, update, restart o restore) está cambiando este sistema: espera a que termine y repite" \
    "another command (up, update, restart or restore) is changing this system: wait until it ends, and run this again"
}
