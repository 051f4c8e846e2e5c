# What the checks inside of a booted container have in common; sourced by checks.sh and package_checks.sh. One line per
# check; `failed` is 1 once one has failed.
# shellcheck shell=bash
database=/var/lib/remitod/remitod.db
failed=0

# --- what a check is
is() {  # is WHAT GOT WANTED
  if [ "$2" = "$3" ]; then echo "ok   $1 ($2)"; else echo "FAIL $1: got '$2', wanted '$3'"; failed=1; fi
}
has() {  # has WHAT TEXT PART
  case $2 in *"$3"*) echo "ok   $1";; *) echo "FAIL $1: no '$3' in '$2'"; failed=1;; esac
}
wait_for() {  # wait_for WHAT COMMAND...: until it succeeds; half a minute is for ever here
  local what=$1
  shift
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "FAIL in vain waited for: $what"; failed=1
  systemctl status --no-pager remitod; journalctl -u remitod --no-pager | tail -20
  exit 1
}

# --- what it asks
show() { systemctl show -P "$1" remitod; }
shows() { [ "$(show "$1")" = "$2" ]; }
mode() { stat -c '%a %U:%G' "$1"; }
journal() { journalctl --sync; journalctl -u remitod --no-pager "$@"; }
journal_has() { journal -o cat | grep -q -- "$1"; }
as() { setpriv --reuid "$1" --regid "$1" --init-groups --inh-caps=-all "${@:2}"; }
sql() { as shop sqlite3 -batch -cmd '.timeout 5000' "$database" "$@"; }
count() { sql "select count(*) from $1"; }
none() { [ "$(count "$1")" = 0 ]; }
some() { [ "$(count "$1")" != 0 ]; }
carrier() { curl -sS --max-time 5 "http://127.0.0.1:$port$1" "${@:2}"; }
in_carrier_stats() { carrier /demo/stats | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }
web() { curl -sS --max-time 20 -o /dev/null -w '%{http_code}' "http://127.0.0.1:9470$1" 2>/dev/null; }
asked() { [ "$(web "$1")" = 200 ]; }
refusals() {  # refusals TIMES: how many of so many who ask the listener are not answered
  local refused=0
  for _ in $(seq "$1"); do [ "$(web /healthz)" = 200 ] || refused=$((refused + 1)); done
  echo $refused
}
exit_code() { "$@" >/dev/null 2>&1; echo $?; }

ask_remitos() {  # ask_remitos FIRST LAST: orders whose merchants want a remito, as the platform inserts them
  for order in $(seq "$1" "$2"); do
    echo "insert into remito_requests (request_key, order_number, carrier, payload) values ('K$order', '$order', 'oca', '{
      \"sender\": {\"name\": \"Tienda\", \"email\": \"tienda@example.com\", \"address\": {\"street\": \"Jr. Origen\", \"number\": \"1\", \"postcode\": \"1000\", \"district\": \"Centro\", \"province\": \"Centro\"}},
      \"recipient\": {\"first_name\": \"Persona\", \"last_name\": \"De Prueba\", \"address\": {\"street\": \"Av. Destino\", \"number\": \"$order\", \"postcode\": \"1001\", \"district\": \"Centro\", \"province\": \"Centro\"}},
      \"parcels\": [{\"weight_kg\": 0.8, \"length_cm\": 20, \"width_cm\": 15, \"height_cm\": 10}]}');"
  done | sed '1i begin immediate;' | sed '$a commit;'
}
