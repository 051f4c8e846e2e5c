# bash completion of remitod(8)

# _remitod_configured carriers|sinks: the names that the configuration has.
_remitod_configured() {
  local config=/etc/remitod/remitod.toml i
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    case ${COMP_WORDS[i]} in -c | --config) config=${COMP_WORDS[i + 1]} ;; esac
  done
  sed -n 's/^[[:space:]]*\['"$1"'\.\([A-Za-z0-9_-]*\)\].*/\1/p' "$config" 2>/dev/null
}

_remitod_profiles() {
  local folder
  for folder in /etc/remitod/carriers.d/*/carrier.toml /usr/share/remitod/carriers/*/carrier.toml; do
    [ -e "$folder" ] && basename "$(dirname "$folder")"
  done
}

_remitod() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local options='--help --version --config --socket --check-config --resync --status --explain --check-carrier --new-carrier --replay --enable-sink --settle --adopt --refuse --resend --request-remito
     --reread --forget --erase --compare-shadow --legacy --backup --migrate --print-config
     --try-carrier --accept --remito --save --in --since --dry-run --wait --json
    --export-trace --backtest --mode --budget --batch --requests-per-minute --max-interval --zone --holidays --polls'
  COMPREPLY=()
  case $before in
    -c | --config | --socket | --backtest | --polls | --request-remito | --backup | --legacy) mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames ;;
    --in | --save) mapfile -t COMPREPLY < <(compgen -d -- "$word") && compopt -o filenames ;;
    --status) mapfile -t COMPREPLY < <(compgen -W "$(_remitod_configured carriers) $options" -- "$word") ;;
    --resync | --export-trace) mapfile -t COMPREPLY < <(compgen -W "$(_remitod_configured carriers) all" -- "$word") ;;
    --check-carrier) mapfile -t COMPREPLY < <(compgen -W "$(_remitod_profiles) all" -- "$word"; compgen -d -- "$word") ;;
    --try-carrier | --explain | --reread | --compare-shadow) mapfile -t COMPREPLY < <(compgen -W "$(_remitod_configured carriers)" -- "$word") ;;
    --replay) mapfile -t COMPREPLY < <(compgen -W "$(_remitod_configured sinks) dead" -- "$word") ;;
    --enable-sink) mapfile -t COMPREPLY < <(compgen -W "$(_remitod_configured sinks)" -- "$word") ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W "adaptive fixed hourly" -- "$word") ;;
    --new-carrier | --forget | --erase | --remito | --settle | --adopt | --refuse | --since | --budget | --batch | --requests-per-minute | --max-interval | --zone | --holidays) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
  esac
}
complete -F _remitod remitod
