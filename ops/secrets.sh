# shellcheck shell=sh
# Secrets as files: makes what is missing, names what is missing or weak before anything is built. The job `secrets` judges them again
# where they are used (croody.operations.secrets), for who starts production without this wrapper; a test holds the two together.

random() { # BYTES -> hexadecimal
  od -An -vtx1 -N"$1" /dev/urandom | tr -d ' \n'
}

secrets_folder() {
  folder=$(setting SECRETS_DIR)
  echo "${folder:-./secrets}"
}

# What is there and closed to whoever calls is not missing.
need_open() { # PATH
  if [ -d "$1" ] && [ -r "$1" ] && [ -x "$1" ]; then return; fi
  if [ ! -d "$1" ] && { [ ! -e "$1" ] || [ -r "$1" ]; }; then return; fi
  # shellcheck disable=SC2012 # one word, on every system the same way
  owner=$(ls -ld "$1" | awk '{ print $3 }')
  fail "$1 es de $owner y $(id -un) no lo puede leer: ejecuta esto como $owner, o hazlo tuyo (sudo chown -R $(id -un) $folder)" \
    "$1 belongs to $owner, and $(id -un) cannot read it: run this as $owner, or make it yours (sudo chown -R $(id -un) $folder)"
}

put() { # NAME VALUE: a secret, unless there is one already
  [ ! -s "$folder/$1" ] || return 0
  # The folder is closed to others; the files are open, for the services in the containers are other users.
  (umask 022 && printf '%s\n' "$2" >"$folder/.$1.new" && mv "$folder/.$1.new" "$folder/$1")
  say "creado $folder/$1" "made $folder/$1"
}

# When a file was last changed, in the words in which the engine says when a container started.
changed_at() { # FILE
  at=$(stat -c %Z "$1" 2>/dev/null || stat -f %c "$1" 2>/dev/null) || return 0
  date -u -d "@$at" +%Y-%m-%dT%H:%M:%S 2>/dev/null || date -u -r "$at" +%Y-%m-%dT%H:%M:%S
}

# The secrets of a container that changed since it started (it goes on with what it has read, or sees a file that is gone), or are another
# file by now ($secret_files), which Compose itself does not notice.
changed_since() { # CONTAINER
  docker inspect -f '{{range .Mounts}}{{.Destination}} {{$.State.StartedAt}} {{.Source}}{{println}}{{end}}' "$1" 2>/dev/null |
    while read -r at started source; do
      case $at in /run/secrets/*) ;; *) continue ;; esac
      file=$(printf '%s\n' "$secret_files" | sed -n "s|^${at##*/} ||p")
      # Some engines say where they have it; a path that is written with quotes is not compared.
      case $file in *[\"\'\\]* | '') ;; *)
        case $source in *"$file") ;; *)
          echo "${at##*/}"
          continue ;;
        esac ;;
      esac
      [ -f "$source" ] || continue
      [ -z "$(printf '%s %s\n' "$(changed_at "$source")" "$started" | awk '$2 != "" && $1 "" > $2 ""')" ] || echo "${at##*/}"
    done
}

secrets_init() {
  folder=$(secrets_folder)
  need_open "$folder"
  mkdir -p "$folder/ca"
  chmod 700 "$folder"
  put SECRET_KEY "$(random 48)"
  put BRIDGE_TOKEN "$(random 32)"
  put BRIDGE_MQTT_PASSWORD "$(random 32)"
  put IDS_API_TOKEN "$(random 32)"
  put ADMIN_PASSWORD "$(random 9)"
  put POSTGRES_PASSWORD "$(random 24)"
  put DATABASE_URL "postgres://croody:$(cat "$folder/POSTGRES_PASSWORD")@db:5432/croody"
  # Empty means: only robots' own secrets and people's tokens. Write 32 characters or more into it for one shared token.
  [ -e "$folder/TG_INGEST_TOKEN" ] || (umask 022 && : >"$folder/TG_INGEST_TOKEN")
  # `ID SECRET` lines of virtual robots (--profile sim).
  [ -e "$folder/ROBOTS_SIM" ] || (umask 022 && : >"$folder/ROBOTS_SIM")
  say "los secretos están en $folder; guarda una copia en un lugar seguro, no junto a las copias de seguridad" \
    "secrets are in $folder; keep a copy of it in a safe place, apart from the backups"
}

secrets_check() {
  folder=$(secrets_folder)
  need_open "$folder"
  bad=0
  for pair in SECRET_KEY:50 BRIDGE_TOKEN:32 BRIDGE_MQTT_PASSWORD:16 POSTGRES_PASSWORD:16 IDS_API_TOKEN:32 ADMIN_PASSWORD:12 DATABASE_URL:32; do
    name=${pair%%:*}
    need_open "$folder/$name"
    value=$(cat "$folder/$name" 2>/dev/null) || value=
    problem=
    case $value in
      '') problem=$(words "falta" "is missing") ;;
      change-me* | changeme* | django-insecure* | postgres://croody:croody@* | '<'*) problem=$(words "es un ejemplo que todo el mundo conoce" "is a placeholder that everybody knows") ;;
      *) [ "${#value}" -ge "${pair##*:}" ] || problem=$(words "tiene ${#value} caracteres y hacen falta ${pair##*:} o más" \
        "has ${#value} characters, and ${pair##*:} or more are needed") ;;
    esac
    if [ -n "$problem" ]; then
      say "$folder/$name $problem" "$folder/$name $problem"
      bad=1
    fi
  done
  [ "$bad" = 0 ] || fail "./croody secrets init crea lo que falta; borra antes el malo" \
    "./croody secrets init makes what is missing; remove a bad one first"
  say "secretos: bien" "secrets: good"
}
