# shellcheck shell=sh
# What the wrapper says, in the language of the terminal: Spanish where LC_ALL, LC_MESSAGES or LANG says so, English otherwise.
language=${LC_ALL:-${LC_MESSAGES:-${LANG:-C}}}
case $language in [Ee][Ss]*) spanish=yes ;; *) spanish= ;; esac

words() { # ES EN
  if [ -n "$spanish" ]; then printf '%s\n' "$1"; else printf '%s\n' "$2"; fi
}
say() { printf 'croody: %s\n' "$(words "$1" "$2")" >&2; }
fail() { # ES EN: what is wrong and the remedy
  say "$1" "$2"
  exit 1
}
