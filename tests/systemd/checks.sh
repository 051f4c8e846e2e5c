# Runs as root inside the booted container. One line per check; exit 1 if any failed.
# The daemon and a demo carrier are installed; systemd/README.md is followed step by step.
set -u
. "$(dirname "$0")/checking.sh"

echo "-- installation, as systemd/README.md has it"
systemd-sysusers
systemd-tmpfiles --create remitod.conf
# The shorter watchdog runs under all that follows: it must not bite a healthy daemon.
mkdir -p /run/systemd/system/remitod.service.d
printf '[Service]\nWatchdogSec=3s\n' >/run/systemd/system/remitod.service.d/lab.conf
systemctl daemon-reload
is "loopback" "$(exit_code ip link set lo up)" 0
useradd --system --user-group --groups remitod shop
useradd --system --user-group stranger
is "configuration folder" "$(mode /etc/remitod)" "750 root:remitod"
is "secrets folder" "$(mode /etc/remitod/secrets)" "700 root:root"
is "exposure is at most 1.2" "$(exit_code systemd-analyze security --no-pager --threshold=12 remitod.service)" 0

echo "-- a wrong configuration"
systemctl start remitod 2>/dev/null
is "a missing file ends in failed, without a loop" "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)" "failed 78 0"
install -m 0640 -g remitod /usr/share/remitod/remitod.toml.example /etc/remitod/remitod.toml
is "the example is a right configuration" "$(exit_code remitod --check-config)" 0
printf 'speed = 1\n' >>/etc/remitod/remitod.toml
systemctl reset-failed remitod
systemctl start remitod 2>/dev/null
is "an unknown key ends in failed, without a loop" "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)" "failed 78 0"
has "  and the journal has the line and the key, as an error" "$(journal -p err -o cat)" "speed"
systemctl reset-failed remitod

echo "-- the first start"
scale=2880   # a day in half a minute
origin=$(date -u +%Y-%m-%dT%H:%M:%SZ)
(umask 077; echo "secret of the carrier" >/etc/remitod/secrets/oca-password)
systemd-run --quiet --unit=demo-carriers /usr/local/bin/demo_carriers --port-file /run/demo-carriers.port \
  --time-scale $scale --time-origin "$origin" --password "secret of the carrier"
wait_for "the carriers" test -s /run/demo-carriers.port
port=$(cat /run/demo-carriers.port)
cat >/etc/remitod/remitod.toml <<TOML
[database]
url = "sqlite:$database"
[daemon]
time_scale = $scale.0
time_origin = "$origin"
[carriers.oca]
base_url = "http://127.0.0.1:$port"
requests_per_second = 1.0
settings = { account = "100000/000", user = "demo", operativa = "1" }
secrets = { password = "credential:secret_oca-password" }
TOML
is "a shell can check it without the secrets" "$(exit_code remitod --check-config)" 0
# Another instance holds the database: the daemon is up, but not ready.
first_start=$(date +%s.%6N)
as remitod touch "$database.lock"
exec 8<"$database.lock"; flock 8
systemctl start --no-block remitod
wait_for "the daemon to find the database taken" journal_has database_not_ready
is "started, but not active before READY=1" "$(show ActiveState)" activating
exec 8<&-
wait_for "READY=1" shows ActiveState active
has "status text" "$(systemctl status --no-pager remitod)" 'Status: "following 0 shipment(s) at 1 carrier(s)"'
has "warnings are warnings in the journal" "$(journal -p warning -o cat)" database_not_ready

echo "-- who may what"
is "runs as" "$(ps -o user=,group= -p "$(show MainPID)" | tr -s ' ')" "remitod remitod"
is "state folder" "$(mode /var/lib/remitod)" "2770 remitod:remitod"
is "database" "$(mode $database)" "660 remitod:remitod"
is "runtime folder" "$(mode /run/remitod)" "750 remitod:remitod"
is "control socket" "$(mode /run/remitod/control.sock)" "660 remitod:remitod"
is "root asks it" "$(exit_code remitod --status)" 0
is "a user of the group asks it" "$(exit_code as shop remitod --status)" 0
is "another user may not ask" "$(exit_code as stranger remitod --status)" 77
is "another user cannot read the configuration" "$(exit_code as stranger cat /etc/remitod/remitod.toml)" 1
is "another user cannot write the tables" \
  "$(exit_code as stranger sqlite3 $database "insert into resync_requests (target) values ('all')")" 1
credential=/run/credentials/remitod.service/secret_oca-password
is "the secret, as libpq wants a password file" "$(mode $credential)" "400 remitod:root"
is "the secret is the daemon's alone" "$(exit_code cat $credential) $(exit_code as shop cat $credential)" "0 1"

echo "-- its sandbox, tried from inside"
touch /etc/open-to-all
chmod 666 /etc/open-to-all
sed -e 's/^Type=.*/Type=oneshot/; s|^ExecStart=.*|ExecStart=bash /usr/local/lib/remitod-lab/probe.sh|' \
  -e '/^Restart/d; /^WatchdogSec/d; /^RuntimeDirectory/d' /usr/lib/systemd/system/remitod.service \
  >/run/systemd/system/remitod-probe.service
systemctl daemon-reload
systemctl start remitod-probe
journalctl --sync
probed=$(journalctl -u remitod-probe -o cat --no-pager)
for outcome in "user: remitod:remitod" "write to its state folder: done" "read its credential: done" \
  "read the secret's file: Permission denied" "change its own configuration: Permission denied"; do
  has "$outcome" "$probed" "$outcome"
done
# What the sandbox alone forbids: outside, the same user may.
free=$(as remitod bash /usr/local/lib/remitod-lab/probe.sh)
for outcome in "write to a file open to all: Read-only file system" "read the kernel's settings: No such file or directory" \
  "see another process: No such file or directory" "see people's folders: Permission denied" \
  "make a namespace: Operation not permitted" "make a file set-user-ID: Operation not permitted"; do
  has "$outcome" "$probed" "$outcome"
  has "  outside: done" "$free" "${outcome%%:*}: done"
done

echo "-- orders get remitos and move"
answer=$(carrier /ePak_tracking/Oep_TrackEPak.asmx -d '<IngresoOR ><psw>wrong</psw>')
has "the carrier refuses another password" "$answer" "</diffgr:diffgram></IngresoORResult>"
is "  and makes nothing" "$(in_carrier_stats shipments)" 0
ask_remitos 1001 1010 | sql
wait_for "ten remitos" none "remito_requests where state <> 'granted'"
is "the password reached the carrier" "$(in_carrier_stats shipments)" 10
wait_for "transitions with their numbers" none "transitions where seq is null"
is "each is ready to ship, once" "$(count "transitions where to_status = 'ready_to_ship'")" 10
is "each is a line of the journal, with its priority" \
  "$(journal -o json | grep 'to=ready_to_ship' | grep -c '"PRIORITY":"6"')" 10
remito=$(sql "select remito from shipments limit 1")
has "--resync of a shipment, from a shell" "$(remitod --resync "oca:$remito" --wait)" "1 shipment(s) answered"
has "--resync of a carrier" "$(remitod --resync oca --wait)" "10 shipment(s) answered"
has "--status of a shipment" "$(remitod --status "oca:$remito")" "order 10"

echo "-- kill -9 amid the work"
ask_remitos 1011 1210 | sql
until some "remito_requests where order_number > '1010' and state = 'granted'"; do :; done
kill -9 "$(show MainPID)"
wait_for "the restart" shows NRestarts 1
wait_for "READY=1" shows ActiveState active
wait_for "every request to end" none "remito_requests where state in ('pending', 'sending')"
granted=$(count "remito_requests where state = 'granted'")
unknown=$(count "remito_requests where state in ('unknown', 'needs_operator')")
echo "     $granted granted, $unknown unknown"
is "every request has an end" $((granted + unknown)) 210
is "no shipment was made twice" "$(in_carrier_stats duplicates)" 0
made=$(in_carrier_stats shipments)
is "what is not unknown was made" "$((granted <= made && made <= granted + unknown))" 1
wait_for "transitions with their numbers" none "transitions where seq is null"
is "no transition is missing or doubled" \
  "$(sql "select max(seq) = count(*) from transitions")/$(count "(select 1 from transitions where to_status = 'ready_to_ship' group by order_number having count(*) = 1)")" "1/$granted"

echo "-- a hang"
kill -STOP "$(show MainPID)"
wait_for "the watchdog's restart" shows NRestarts 2
wait_for "READY=1" shows ActiveState active
has "the watchdog did it" "$(journal -o cat)" "Watchdog timeout"
ask_remitos 1211 1211 | sql
wait_for "it to go on" some "remito_requests where order_number = '1211' and state = 'granted'"
wait_for "in transit" some "transitions where to_status = 'in_transit'"
wait_for "delivered" some "transitions where to_status = 'delivered'"
is "  and nothing is told twice" \
  "$(count "(select 1 from transitions where subject = 'shipment' group by shipment_id, to_status, attempt, occurred_at having count(*) > 1)")" 0
is "the watchdog let it be otherwise" "$(show NRestarts)" 2

echo "-- stop, and start again"
unknown=$(count "remito_requests where state in ('unknown', 'needs_operator')")
ask_remitos 1212 1411 | sql
until some "remito_requests where order_number > '1211' and state = 'granted'"; do :; done
begun=$(date +%s)
systemctl stop remitod
took=$(($(date +%s) - begun))
is "a clean end" "$(show Result) $(show ExecMainStatus)" "success 0"
is "within the time of drain" "$((took <= 20))" 1
has "the journal has the end" "$(journal -o cat -n 3)" stopped
is "what was under way came to its end" \
  "$(count "remito_requests where state = 'sending'") $(count "remito_requests where state in ('unknown', 'needs_operator')")" "0 $unknown"
is "--status says that it does not run" "$(exit_code remitod --status)" 3
is "--resync says that nobody answers" "$(exit_code remitod --resync all)" 69
# The platform goes on writing meanwhile, and has the database open when the daemon comes back.
mkfifo /run/statements
as shop sqlite3 -batch "$database" </run/statements &
exec 9>/run/statements
ask_remitos 1412 1412 >&9
wait_for "the platform's write" test -s "$database-wal"
is "what the platform makes beside the database is the group's" "$(stat -c '%a %G' "$database-wal")" "660 remitod"
schema_ready=$(journal -o cat | grep -c database_ready)
systemctl start remitod
is "a second start finds the schema" "$(($(journal -o cat | grep -c database_ready) - schema_ready))" 1
exec 9>&-
wait_for "all requests to end" none "remito_requests where state in ('pending', 'sending') or accepted_at is null"
is "what waited was sent, what was cut off was not" \
  "$(count "remito_requests where state = 'granted' and order_number > '1211'")" 201
is "no shipment was made twice" "$(in_carrier_stats duplicates)" 0

echo "-- an HTTP listener that systemd holds"
systemctl reset-failed remitod   # with the count of its starts
systemctl stop remitod
is "without the socket nobody listens" "$(web /healthz)" 000
systemctl start remitod-http.socket
is "who asks starts the daemon" "$(web /healthz) $(show ActiveState)" "200 active"
wait_for "the shipments to be loaded" asked /readyz
is "  and sees the page and the metrics" "$(web /) $(web /metrics)" "200 200"
before=$(show MainPID)
systemctl restart --no-block remitod
is "nobody is refused while it restarts" "$(refusals 40)" 0
is "  which it did" "$([ "$(show MainPID)" != "$before" ] && echo another)" another
kill -9 "$(show MainPID)"
is "nor after a kill -9" "$(refusals 40)" 0
is "  and the daemon is up again" "$(show ActiveState)" active
before=$(show MainPID)
systemctl reload remitod
is "nor while it reloads" "$(refusals 40) $(show MainPID)" "0 $before"
wait_for "the end of the reload" shows ActiveState active
systemctl stop remitod-http.socket remitod
is "nobody listens when both are stopped" "$(web /healthz)" 000

echo "-- on PostgreSQL"
version=$(ls /usr/lib/postgresql | tail -1)
pg_createcluster "$version" lab --port 5499 --start >/dev/null
export PGCLUSTER=$version/lab
runuser -u postgres -- createuser remitod
runuser -u postgres -- createuser shop
runuser -u postgres -- psql -q -c 'create role remitod_platform nologin' -c 'grant remitod_platform to shop'
runuser -u postgres -- createdb --owner=remitod marketplace
sed -i 's|^url = .*|url = "postgresql:host=/run/postgresql port=5499 dbname=marketplace user=remitod"|' /etc/remitod/remitod.toml
systemctl restart remitod
is "its socket takes the daemon for who it is" "$(show ActiveState)" active
on_postgresql() { as shop psql -q -A -t -d marketplace "$@"; }
ask_remitos 2001 2010 | sed 's/immediate//; s/into /into remitod./' | on_postgresql
all_granted() { [ "$(on_postgresql -c "select count(*) from remitod.remito_requests where state = 'granted'")" = 10 ]; }
wait_for "ten remitos" all_granted
is "the platform's role may not do more" "$(exit_code on_postgresql -c 'delete from remitod.remito_requests')" 1
is "a clean end" "$(systemctl stop remitod; show Result) $(show ExecMainStatus)" "success 0"

# What kill -9 cut off in the call is for a person, at a carrier that promises nothing: that it says as an error.
is "the daemon told of no other error" \
  "$(journal _COMM=remitod -p err -o cat --since "@$first_start" | grep -v 'state=needs_operator' || true)" ""
exit $failed
