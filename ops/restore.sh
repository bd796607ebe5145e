# shellcheck shell=sh
# `./croody restore FILE`. The file is read to its end before anything is stopped, and what is there now goes only when all of the
# backup is in its place; whatever fails on the way, the system goes on with what it had.

# Bytes that a backup of PostgreSQL holds as text; fails where one is damaged, or none at all.
text_of() { # FILE
  # shellcheck disable=SC2016 # for the shell inside
  tool --entrypoint sh backup -c '{ pg_restore -f - || : >/tmp/damaged; } | wc -c && [ ! -e /tmp/damaged ]' <"$1"
}

# A database takes about twice the room of its text, and as much again, up to a gigabyte, for the log of its changes.
need_room() { # BYTES of text
  room_kb=$(compose exec -T db df -Pk /var/lib/postgresql/data </dev/null | awk 'NR == 2 { print $4 }')
  need_kb=$(($1 / 512))
  if [ "$need_kb" -gt 1048576 ]; then need_kb=$((need_kb + 1048576)); else need_kb=$((need_kb * 2)); fi
  need_kb=$((need_kb + 65536))
  [ "${room_kb:-0}" -ge "$need_kb" ] ||
    fail "en el disco de la base de datos hay $((room_kb / 1024)) MB libres y hacen falta $((need_kb / 1024)): haz sitio y repite. No se ha parado nada" \
      "the disk of the database has $((room_kb / 1024)) MB free, and $((need_kb / 1024)) are needed: make room, and run this again. Nothing was stopped"
}

# Into a database of its own, and counted; what an earlier attempt left is in the way.
fill() { # FILE
  compose exec -T db sh -euc '
    export PGUSER=croody PGOPTIONS="-c client_min_messages=warning"
    for name in croody_restore croody_before; do dropdb --if-exists --force "$name"; done
    createdb croody_restore
    pg_restore -d croody_restore --exit-on-error
    psql -d croody_restore -AtF " robots, " -c "select (select count(*) from fleet_robot), (select count(*) from telemetry_record)"
    createdb croody 2>/dev/null || true' <"$1"
}

# Both names change at once or not at all. Who was interrupted here asks which it was.
swap() {
  compose exec -T db psql -U croody -d postgres -q -v ON_ERROR_STOP=1 -1 -f - <<'SQL' || is_swapped
do $$ begin perform pg_terminate_backend(pid) from pg_stat_activity where datname in ('croody', 'croody_restore'); end $$;
alter database croody rename to croody_before;
alter database croody_restore rename to croody;
SQL
}

is_swapped() {
  compose exec -T db psql -U croody -d postgres -Atc \
    "select 'yes' where not exists (select from pg_database where datname = 'croody_restore')" </dev/null | grep -qx yes
}

# The files of SQLite, put in their place at its end. An interruption ends Compose and not its container, which is asked how it ended.
put_back() { # FILE
  one=$(project)-restore
  docker rm -f "$one" >/dev/null 2>&1 || true
  compose --progress quiet run -T --name "$one" --no-deps --quiet-pull croody \
    sh -c 'trap "" INT TERM HUP; exec python -m croody.operations.backup --restore' <"$1" >/dev/null || true
  until docker wait "$one" >/dev/null 2>&1 || ! docker inspect "$one" >/dev/null 2>&1; do sleep 1; done
  ended=$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$one" 2>/dev/null) || true
  docker logs "$one" 2>/dev/null || true
  docker rm -f "$one" >/dev/null 2>&1 || true
  [ "$ended" = "exited 0" ]
}

forget() { # DATABASE
  compose exec -T -e PGOPTIONS="-c client_min_messages=warning" db dropdb -U croody --if-exists --force "$1" </dev/null >&2 || true
}

# The end of a restore that was none.
not_restored() { # STATUS ES EN
  trap '' INT TERM HUP
  if [ "$kind" = pgdump ]; then forget croody_restore; fi
  # Of what was told to stop nothing may end after it was started again.
  # shellcheck disable=SC2086 # lists of words
  compose --progress quiet stop $writers || true
  # shellcheck disable=SC2086
  [ -z "$ran" ] || compose --progress quiet up -d --wait --no-recreate $kept ||
    say "el sistema no arranca del todo: mira ./croody status" "the system does not start altogether: see ./croody status"
  say "$2. No se ha restaurado nada y queda lo que había" "$3. Nothing was restored, and what there was is still there"
  exit "$1"
}

restored() { # [ES EN]: what went wrong after it
  say "restaurado desde $file: $told${1:+; $1}" "restored from $file: $told${2:+; $2}"
}

# The system was not seen to work with it.
unseen() { # ES EN
  restored "$1${former:+; la base de datos anterior se guarda como croody_before hasta la próxima restauración}" \
    "$2${former:+; the former database is kept as croody_before until the next restore}"
}

restore() { # FILE
  file=$(given "${1:-}")
  [ -s "$file" ] || fail "restore: di el archivo de una copia, como ./backups/croody-...; en '$file' no hay ninguna" \
    "restore: give the file of a backup, such as ./backups/croody-...; there is none at '$file'"
  if has db; then kind=pgdump; else kind=tar.gz; fi
  case $file in *."$kind") ;; *)
    fail "las copias de este sistema acaban en .$kind, y $file no: mira COMPOSE_FILE en .env. No se ha parado nada" \
      "backups of this system end in .$kind, and $file does not: see COMPOSE_FILE in .env. Nothing was stopped" ;;
  esac
  say "se lee $file de principio a fin" "reading $file from beginning to end"
  if [ "$kind" = pgdump ]; then bytes=$(text_of "$file"); else bytes=$(tar -tzf "$file"); fi ||
    fail "$file está dañado o no es una copia: usa otra. No se ha parado nada" "$file is damaged, or no backup: use another one. Nothing was stopped"
  kept=$(scales)
  ran=$(running)
  if [ "$kind" = pgdump ]; then
    compose up -d --wait db || fail "db no arranca: mira ./croody logs db. No se ha parado nada" "db does not start: see ./croody logs db. Nothing was stopped"
    need_room "$bytes"
  fi
  former=
  trap 'not_restored 130 "interrumpido" "interrupted"' INT TERM HUP
  say "para todo lo que escribe" "stopping everything that writes"
  writers="gateway bridge croody telemetry-gateway ids-ml worker"
  if has backup; then writers="$writers backup"; fi
  # shellcheck disable=SC2086 # a list of words
  compose --progress quiet stop $writers || not_restored 1 "el sistema no se deja parar" "the system cannot be stopped"
  if [ "$kind" = pgdump ]; then
    told=$(fill "$file") || not_restored 1 "$file no se ha podido cargar (la causa está arriba): usa otra copia" \
      "$file could not be loaded (the cause is above): use another backup"
    trap '' INT TERM HUP
    swap || not_restored 1 "la base de datos no se ha podido cambiar (la causa está arriba)" "the database could not be changed (the cause is above)"
    told="$told readings"
    former=yes
  else
    trap '' INT TERM HUP
    told=$(put_back "$file") ||
      not_restored 1 "$file no se ha podido cargar (la causa está arriba): usa otra copia" "$file could not be loaded (the cause is above): use another backup"
  fi
  trap 'unseen "interrumpido: arráncalo con ./croody up" "interrupted: start it with ./croody up"; exit 130' INT TERM HUP
  # shellcheck disable=SC2086 # a list of words
  compose up -d --wait $kept || {
    unseen "el sistema no llega a estar sano: mira ./croody status" "the system does not become healthy: see ./croody status"
    exit 1
  }
  trap '' INT TERM HUP
  [ -z "$former" ] || forget croody_before
  restored
}
