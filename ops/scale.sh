# shellcheck shell=sh
# How many there are of a service. Compose forgets a --scale with the command that had it; here what runs stays as many as it is.

asked_for() { # SERVICE [OPTIONS of compose up]: the number that its --scale says
  of=$1 before=
  shift
  for word; do
    case "$before $word" in *" --scale=$of="* | "--scale $of="*) echo "${word##*=}" ;; esac
    before=$word
  done | tail -1
}

# The services that the options name, with those that they need; all, where they name none. Compose takes no --scale of others.
meant() { # [OPTIONS of compose up]
  all=$(compose config --services)
  named=$(for word; do printf '%s\n' "$all" | grep -xF -e "$word" || true; done)
  # shellcheck disable=SC2086 # a list of words
  if [ -z "$named" ]; then echo "$all"; else compose config $named | sed -n '/^services:$/,/^[^ ]/s/^  \([^ ]*\):$/\1/p'; fi
}

# --scale for all of which more than one runs (or is there, where none runs), and of which the options say nothing.
scales() { # [OPTIONS of compose up]
  meant=$(meant "$@")
  own -a --format '{{.Label "com.docker.compose.service"}} {{.State}}' | awk '
    { all[$1]++ }
    $2 !~ /^(created|exited|dead)$/ { up[$1]++ }
    END { for (one in all) if ((n = up[one] ? up[one] : all[one]) > 1) print one, n }' | while read -r service n; do
    [ -n "$(asked_for "$service" "$@")" ] || ! echo "$meant" | grep -qx "$service" || printf -- '--scale %s=%s ' "$service" "$n"
  done
}

# Services that are replaced gently grow and shrink gently too: Compose would cut the one too many off in the middle of a request, and
# let a new one be met before it is healthy.
fit() { # [OPTIONS of compose up]
  for service in $ROLLING; do
    sweep "$service"
    now=$(running "$service")
    more=$(asked_for "$service" "$@")
    case $more in '' | 0 | *[!0-9]*) continue ;; esac
    [ -n "$now" ] || continue
    more=$((more - $(count "$now")))
    if [ "$more" -gt 0 ]; then
      say "$service: arranca $more más" "$service: starting $more more"
      join "$service" "$more"
      trap - INT TERM HUP
    fi
    for id in $now; do
      [ "$more" -lt 0 ] || break
      say "$service: se retira uno" "$service: one leaves"
      retire "$service" "$id"
      more=$((more + 1))
    done
  done
}
