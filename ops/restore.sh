# shellcheck shell=sh
# `./croody restore FILE`. The file is read to its end before anything is stopped, and what is there now goes only when all of the
# backup is in its place; whatever fails on the way, the system goes on with what it had.

# One dump of a backup: the only one of a .pgdump, or the one of this name in a .pgdump.tar.
dump_of() { # FILE NAME
  case $1 in *.tar) tar -xOf "$1" "$2.pgdump" ;; *) cat "$1" ;; esac
}

# Bytes that a backup of PostgreSQL holds as text; fails where one is damaged, or none at all.
text_of() { # FILE
  all=0
  case $1 in *.tar) names="croody telemetry" ;; *) names=croody ;; esac
  for name in $names; do
    # shellcheck disable=SC2016 # for the shell inside
    one=$(dump_of "$1" "$name" | tool --entrypoint sh backup -c '{ pg_restore -f - || : >/tmp/damaged; } | wc -c && [ ! -e /tmp/damaged ]') || return 1
    all=$((all + one))
  done
  echo "$all"
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

# Into databases of their own, and counted; what an earlier attempt left is in the way. A backup of one database is divided where
# telemetry has one of its own by now: that is how its data move there.
fill() { # FILE
  where=croody_restore
  load "$1" croody croody_restore || return 1
  if [ -n "$other" ]; then
    where=croody_restore_telemetry
    load "$1" telemetry "$where" && keep_only croody_restore "not like" && keep_only "$where" like || return 1
  fi
  robots=$(in_db 'psql -d croody_restore -Atc "select count(*) from fleet_robot"' </dev/null) &&
    readings=$(in_db 'psql -d "$1" -Atc "select count(*) from telemetry_record"' "$where" </dev/null) || return 1
  in_db 'createdb -O croody croody 2>/dev/null || true' </dev/null
  echo "$robots robots, $readings"
}

in_db() { # COMMANDS [ARGUMENTS]
  commands=$1
  shift
  compose exec -T -e PGUSER=postgres -e "PGOPTIONS=-c client_min_messages=warning" db sh -euc "$commands" sh "$@"
}

load() { # FILE DUMP DATABASE
  # shellcheck disable=SC2016 # for the shell inside
  dump_of "$1" "$2" | in_db '
    for name in "$1" "croody_before${1#croody_restore}"; do dropdb --if-exists --force "$name"; done
    createdb -O croody "$1"
    pg_restore -d "$1" --exit-on-error --no-owner --role=croody' "$3"
}

# Each database has the tables that are its own (partitions go with theirs), and both say which migrations they have had.
keep_only() { # DATABASE like|"not like"
  in_db 'psql -d "$1" -q -v ON_ERROR_STOP=1 -f -' "$1" <<SQL
select format('drop table if exists public.%I cascade', tablename) from pg_tables
  where schemaname = 'public' and not tablename $2 'telemetry\_%' and tablename <> 'django_migrations' \gexec
SQL
}

# All names change at once or not at all. Who was interrupted here asks which it was.
swap() {
  {
    echo "do \$\$ begin perform pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()
      and datname in ('croody', 'croody_restore', 'croody_restore_telemetry', '$other'); end \$\$;"
    rename_to croody ''
    [ -z "$other" ] || rename_to "$other" _telemetry
  } | compose exec -T db psql -U postgres -d postgres -q -v ON_ERROR_STOP=1 -1 -f - || is_swapped
}

rename_to() { # DATABASE SUFFIX
  echo "select format('alter database %I rename to croody_before$2', datname) from pg_database where datname = '$1' \\gexec"
  echo "alter database croody_restore$2 rename to \"$1\";"
}

is_swapped() {
  compose exec -T db psql -U postgres -d postgres -Atc \
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

forget() { # DATABASES
  for name; do
    compose exec -T -e PGOPTIONS="-c client_min_messages=warning" db dropdb -U postgres --if-exists --force "$name" </dev/null >&2 || true
  done
}

# The end of a restore that was none.
not_restored() { # STATUS ES EN
  trap '' INT TERM HUP
  if [ "$kind" = pgdump ]; then forget croody_restore croody_restore_telemetry; fi
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
  case $file in *."$kind" | *."$kind".tar) ;; *)
    fail "las copias de este sistema acaban en .$kind, y $file no: mira COMPOSE_FILE en .env. No se ha parado nada" \
      "backups of this system end in .$kind, and $file does not: see COMPOSE_FILE in .env. Nothing was stopped" ;;
  esac
  other=
  if [ "$kind" = pgdump ]; then
    other=$(tool backup other </dev/null) || exit 1
    case $file,$other in *.tar,) fail \
      "$file tiene dos bases de datos y este sistema una: pon TG_DB_URL como estaba en el sistema de la copia. No se ha parado nada" \
      "$file holds two databases, and this system has one: set TG_DB_URL as it was in the system of the backup. Nothing was stopped" ;;
    esac
  fi
  say "se lee $file de principio a fin" "reading $file from beginning to end"
  if [ "$kind" = pgdump ]; then bytes=$(text_of "$file"); else bytes=$(tar -tzf "$file"); fi ||
    fail "$file está dañado o no es una copia: usa otra. No se ha parado nada" "$file is damaged, or no backup: use another one. Nothing was stopped"
  kept=$(scales)
  ran=$(running)
  if [ "$kind" = pgdump ]; then
    compose up -d --wait db || fail "db no arranca: mira ./croody logs db. No se ha parado nada" "db does not start: see ./croody logs db. Nothing was stopped"
    if has roles; then tool roles </dev/null >&2 || exit 1; fi
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
  [ -z "$former" ] || forget croody_before croody_before_telemetry
  restored
}
