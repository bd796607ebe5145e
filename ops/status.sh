# shellcheck shell=sh
# `./croody status`: facts of the engine and of this folder, as tab-separated lines for croody.operations.status, which judges them.

tabbed() { awk -v kind="$1" '{ $1 = $1; gsub(/ /, "\t"); print kind "\t" $0 }'; }

facts() {
  version=$(setting CROODY_VERSION)
  printf 'version\t%s\t%s\n' "${version:-dev}" "$(revision)"
  compose config --services | tabbed wanted
  # The simulator speaks the terminal's language, which is part of its configuration and changes with whoever asks.
  compose config --hash '*' | grep -v '^robot-sim ' | tabbed hash
  ids=$(compose ps -aq)
  if [ -n "$ids" ]; then
    label='{{index .Config.Labels "'
    # shellcheck disable=SC2086 # a list of words
    docker inspect -f "{{if ne (index .Config.Labels \"com.docker.compose.oneoff\") \"True\"}}container	$label"'com.docker.compose.service"}}	{{.State.Status}}	{{if .State.Health}}{{.State.Health.Status}}{{end}}	{{.State.ExitCode}}	{{.Config.Image}}	{{.Image}}	'"$label"'com.docker.compose.config-hash"}}	{{.State.StartedAt}}	'"$label"'org.opencontainers.image.revision"}}{{end}}' $ids
    # shellcheck disable=SC2086
    for ref in $(docker inspect -f '{{.Config.Image}}' $ids | sort -u); do
      docker image inspect -f "image	$ref	{{.Id}}" "$ref" 2>/dev/null || true
    done
  fi
  for service in $ROLLING; do
    at_it || left_behind "$service" | awk -v service="$service" 'NF { print "left\t" service "\t" substr($1, 1, 12) }'
  done
  look
  for service in $(running_services | grep -vx db); do
    for id in $(running "$service"); do changed_since "$id"; done | sort -u |
      awk -v service="$service" '{ print "changed\t" service "\t" $1 }'
  done
  if [ -n "$(running db)" ]; then
    compose exec -T db df -Pk /var/lib/postgresql/data </dev/null 2>/dev/null | awk 'NR == 2 { print "dbdisk\t" $4 "\t" $3 }'
  fi
  folder=$BACKUP_DIR
  # shellcheck disable=SC2012 # the names are our own
  last=$(ls -1 "$folder"/croody-*Z.* 2>/dev/null | sort | tail -1)
  # shellcheck disable=SC2012
  printf 'backup\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$folder" "${last##*/}" "$(ls -nl "$last" 2>/dev/null | awk '{ print $5 }')" \
    "$(ls -1 "$folder"/croody-*Z.* 2>/dev/null | wc -l | tr -d ' ')" "$(if has backup; then echo yes; else echo no; fi)" \
    "$(setting BACKUP_EVERY_H)" "$(setting BACKUP_AT)"
}

status() {
  if told=$(facts | tool -e "LANG=$language" migrate python -m croody.operations.status); then
    printf '%s\n' "$told"
    return
  fi
  if [ -n "$told" ]; then printf '%s\n' "$told"; else compose ps -a; fi
  exit 1
}
