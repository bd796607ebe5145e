#!/bin/sh
# Verified backups in /backups: `once` makes one now (`once apart`: and removes none), `watch` by the clock (the service `backup`). Runs
# in the image of PostgreSQL where PGHOST says which one, in the cloud's for SQLite. What nobody could restore is no backup: each one is
# restored and counted.
set -eu
umask 077
here=$(dirname "$0")
# shellcheck source=ops/words.sh
. "$here/words.sh"
folder=/backups
part=$folder/.croody.part

newest() {
  # shellcheck disable=SC2012 # the names are our own
  ls -1 "$folder"/croody-*Z.* 2>/dev/null | sort | tail -1
}

# The name of telemetry's own database on our server (TG_DB_URL); empty where it is the same one.
other() {
  url=${TG_DB_URL:-$(cat /run/secrets/TG_DB_URL 2>/dev/null || true)}
  name=${url##*/}
  name=${name%%\?*}
  case $url in
    '' | sqlite*) ;;
    *@db/croody | *@db:*/croody | *@db/croody\?* | *@db:*/croody\?*) ;;
    *@db/?* | *@db:*/?*) echo "$name" ;;
    *) fail "TG_DB_URL nombra un servidor que no es db: sus copias las hace ese servidor, y aquí no se hace ninguna a medias" \
      "TG_DB_URL names a server that is not db: its backups are that server's, and no half of one is made here" ;;
  esac
}

# Where telemetry has a database of its own, both. Telemetry's first: of a robot that comes in between, the backup knows the secret.
dump() {
  if [ -z "${PGHOST:-}" ]; then
    python -m croody.operations.backup
  elif [ -z "$telemetry" ]; then
    pg_dump -Fc croody
  else
    mkdir -p "$part.d"
    pg_dump -Fc "$telemetry" >"$part.d/telemetry.pgdump" && pg_dump -Fc croody >"$part.d/croody.pgdump" &&
      tar -cf - -C "$part.d" croody.pgdump telemetry.pgdump
  fi
}

try_out() { # QUERY: of the dump on standard input, restored into a scratch database
  dropdb --if-exists --force croody_verify && createdb croody_verify && pg_restore -d croody_verify --exit-on-error &&
    psql -d croody_verify -Atc "$1"
}

# Of a new server, where somebody may be about to bring another one's backups, the clock makes none. Said once, and asked often.
nothing_yet() {
  [ -e /tmp/empty ] || say "todavía no hay nada que copiar: ni robots ni personas" "there is nothing to back up yet: no robots and no people"
  : >/tmp/empty
  exit 3
}

# Nobody has begun with it: no robot and no person. Of a database, in SQL.
nobody='not exists (select from auth_user) and not exists (select from fleet_robot)'

is_empty() { # asks the server itself, which costs less than a backup that nobody wants; no where it cannot say
  [ -n "${PGHOST:-}" ] &&
    [ "$(psql -d croody -Atc "select $nobody" 2>/dev/null)" = t ]
}

count() { # FILE
  if [ -z "${PGHOST:-}" ]; then
    python -m croody.operations.backup --verify <"$1"
    return
  fi
  trap 'dropdb --if-exists --force croody_verify' EXIT
  empty="case when $nobody then 'empty ' else '' end"
  if [ -z "$telemetry" ]; then
    try_out "select $empty || (select count(*) from fleet_robot) || ' robots, ' || (select count(*) from telemetry_record) || ' readings'" <"$1"
  else
    tar -xOf "$1" croody.pgdump | try_out "select $empty || (select count(*) from fleet_robot) || ' robots, '" | tr -d '\n' &&
      tar -xOf "$1" telemetry.pgdump | try_out "select count(*) || ' readings' from telemetry_record"
  fi
}

# Kilobytes that are free where the database is, and those that a second one of its size takes: with the log of its changes, which
# PostgreSQL keeps to about a gigabyte. The server says both, for nobody else sees its disk. They are tried one after the other.
rooms() {
  psql -d croody -qAtF ' ' -v ON_ERROR_STOP=1 -v telemetry="$telemetry" <<'SQL'
create temp table disk (free bigint);
copy disk from program $$df -Pk . | awk 'NR == 2 { print $4 }'$$;
select free, size + least(size, 1048576) + 65536 from disk,
  (select max(pg_database_size(datname)) / 1024 as size from pg_database where datname in ('croody', :'telemetry')) as databases;
SQL
}

# A database that fills its disk is away for everybody.
need_room() {
  [ -n "${PGHOST:-}" ] || return 0
  told=$(rooms) || fail "la base de datos no dice cuánto sitio tiene: ¿está en marcha?" "the database does not say how much room it has: is it running?"
  free_mb=$((${told% *} / 1024)) need_mb=$((${told#* } / 1024))
  [ "$free_mb" -ge "$need_mb" ] || fail \
    "en el disco de la base de datos hay $free_mb MB libres y probar la copia ocupa $need_mb: haz sitio, o guarda menos días (CROODY_RETENTION_DAYS)" \
    "the disk of the database has $free_mb MB free, and trying the backup takes $need_mb: make room, or keep fewer days (CROODY_RETENTION_DAYS)"
}

once() { # [apart]
  [ -w "$folder" ] || fail \
    "la carpeta de las copias no se puede escribir con el usuario $(id -u): hazla suya (chown) o di de quién es en .env, BACKUP_USER=UID:GID" \
    "the folder of the backups cannot be written by user $(id -u): give it to that user (chown), or say in .env whose it is, BACKUP_USER=UID:GID"
  export TMPDIR="$folder"
  # One at a time: the one that a person asks for, or the one by the clock.
  exec 9<"$folder"
  flock 9
  # In another folder too: there is one scratch database, and all that make backups of this system have the folder of this script.
  exec 8<"$here"
  flock 8
  # What a backup that was cut off left behind.
  rm -rf "$part" "$part.d" "$folder"/.verify-* "$folder"/.backup-*
  telemetry=
  if [ -n "${PGHOST:-}" ]; then telemetry=$(other) || exit 1; fi
  if [ "${1:-}" = by_the_clock ] && is_empty; then nothing_yet; fi
  if [ -n "$telemetry" ]; then kind=pgdump.tar; elif [ -n "${PGHOST:-}" ]; then kind=pgdump; else kind=tar.gz; fi
  file=$folder/croody-$(date -u +%Y%m%dT%H%M%SZ).$kind
  dump >"$part" || { rm -f "$part"; fail "la copia ha fallado: ¿está la base de datos en marcha y hay sitio en el disco?" \
    "the backup failed: is the database running, and is there room on the disk?"; }
  rm -rf "$part.d"
  (need_room) || { rm -f "$part"; exit 1; }
  counted=$(count "$part") || { rm -f "$part"; fail "la copia no se puede restaurar en una base de prueba: no cuenta" \
    "the backup could not be restored into a scratch database: it does not count"; }
  # It is not the newest of them either.
  case $counted in
    empty*)
      counted=${counted#empty }
      if [ "${1:-}" = by_the_clock ]; then
        rm -f "$part"
        nothing_yet
      fi
      file=$folder/empty-${file##*/croody-} ;;
  esac
  # A folder that another user owns is closed to all others (the job backup-folder); its owner may read what is in it.
  case $(stat -c '%u %a' "$folder") in "$(id -u) "* | *[1-7]) ;; *) chmod 644 "$part" ;; esac
  # On the disk before an older one goes.
  sync "$part" || { rm -f "$part"; fail "la copia no se ha podido escribir en el disco" "the backup could not be written to the disk"; }
  mv "$part" "$file"
  # A name alone: not every kind of disk can be asked that.
  sync "$folder" 2>/dev/null || :
  # shellcheck disable=SC2012
  [ "${1:-}" = apart ] || ls -1 "$folder"/croody-*Z.* | sort -r | tail -n "+$((${BACKUP_KEEP:-14} + 1))" | while read -r old; do rm -f "$old"; done
  echo "${file##*/}: $counted"
}

whole() { # NAME VALUE: 1 or more
  case $2 in
    *[!0-9]* | 0* | '') fail "$1=$2: escribe un número entero desde 1" "$1=$2: write a whole number from 1" ;;
  esac
}

# Seconds since the epoch of the moment after which a backup has to have been made.
wanted_since() {
  now=$(date +%s)
  if [ -z "${BACKUP_AT:-}" ]; then
    echo $((now - ${BACKUP_EVERY_H:-24} * 3600))
    return
  fi
  case $BACKUP_AT in [01][0-9]:[0-5][0-9] | 2[0-3]:[0-5][0-9]) ;; *)
    fail "BACKUP_AT=$BACKUP_AT: escribe HH:MM, en UTC" "BACKUP_AT=$BACKUP_AT: write HH:MM, in UTC" ;;
  esac
  at=$(date -u -d "$(date -u +%Y-%m-%d) $BACKUP_AT" +%s)
  [ "$at" -le "$now" ] || at=$((at - 86400))
  echo "$at"
}

is_due() {
  last=$(newest)
  [ -n "$last" ] || return 0
  since=$(wanted_since) && [ "$(stat -c %Y "$last")" -lt "$since" ]
}

# After a failure again in ten minutes, and soon where there was nothing yet (SQLite's is made to find that out). /tmp/failed and /tmp/alive are what the service's health is judged by.
watch() {
  trap 'exit 0' TERM INT
  # A setting that cannot be read ends the service, which is seen, rather than every backup, which is not.
  wanted_since >/dev/null
  wait_s=0
  rm -f /tmp/empty
  while :; do
    if [ "$wait_s" -gt 0 ]; then
      wait_s=$((wait_s - 10))
    elif is_due; then
      sh "$0" once by_the_clock &
      while kill -0 $! 2>/dev/null; do
        : >/tmp/alive
        sleep 1
      done
      ended=0
      wait $! || ended=$?
      case $ended in
        0) rm -f /tmp/failed ;;
        3) rm -f /tmp/failed && if [ -n "${PGHOST:-}" ]; then wait_s=20; else wait_s=120; fi ;;
        *) : >/tmp/failed && wait_s=600 ;;
      esac
    fi
    : >/tmp/alive
    sleep 10 &
    wait $!
  done
}

whole BACKUP_KEEP "${BACKUP_KEEP:-14}"
whole BACKUP_EVERY_H "${BACKUP_EVERY_H:-24}"
case ${1:-watch} in
  once) once "${2:-}" ;;
  watch) watch ;;
  other) other ;;
  *) fail "backup.sh: once o watch" "backup.sh: once or watch" ;;
esac
