# Runs as root inside the booted container: the life of the package on a machine, as remitod(8) and remitod.toml(5) tell
# it. $OLDER and $NEW are the packages. One line per check; exit 1 if any failed.
set -u
. "$(dirname "$0")/checking.sh"
export DEBIAN_FRONTEND=noninteractive
config=/etc/remitod/remitod.toml

apt() { apt-get -y -qq --no-install-recommends "$@" 2>&1; }   # from the archives that the outside has fetched
carriers() { remitod --status --json | grep -o '"carrier":"[a-z]*"' | sort -u | wc -l; }
follows() { [ "$(carriers)" = "$1" ]; }
active() { shows ActiveState active; }
pid() { show MainPID; }
answers() { remitod --status >/dev/null 2>&1; [ $? -le 1 ]; }   # well, or degraded: requests that were cut off are unknown
exposure() { exit_code systemd-analyze security --no-pager --threshold=12 "$1"; }

echo "-- installation"
ip link set lo up
apt install "$OLDER" >/var/log/installation
is "apt is content" $? 0
wait_for "the daemon, which a fresh installation starts" active
is "  and again at the next boot" "$(systemctl is-enabled remitod.service)" enabled
is "  the socket and instances are for whoever wants them" \
  "$(systemctl is-enabled remitod.socket)/$(systemctl is-enabled remitod-http.socket)/$(systemctl is-enabled remitod@.service)" \
  "disabled/disabled/disabled"
is "it has nothing to complain of" "$(journal -p warning -o cat)" ""
is "--status" "$(exit_code remitod --status)" 0
is "the configuration is a conffile" "$(dpkg-query -W -f='${Conffiles}' remitod | grep -c " $config ")" 1
is "  and right" "$(exit_code remitod --check-config)" 0
is "folders" "$(mode /etc/remitod) $(mode /etc/remitod/carriers.d)" "750 root:remitod 750 root:remitod"
is "folders of secrets" "$(mode /etc/remitod/secrets) $(mode /etc/remitod/secrets.sealed)" "700 root:root 700 root:root"
is "state folder" "$(mode /var/lib/remitod)" "2770 remitod:remitod"
is "exposure of the service is at most 1.2" "$(exposure remitod.service)" 0
is "exposure of an instance is at most 1.2" "$(exposure remitod@tienda.service)" 0
for manual in remitod.8 remitod.toml.5 remitod-carrier.5; do
  has "$manual" "$(man -l /usr/share/man/man"${manual##*.}/$manual.gz" | col -b)" NAME
done
completed=$(bash -c '. /usr/share/bash-completion/completions/remitod
  COMP_WORDS=(remitod --check-carrier ol) COMP_CWORD=2; _remitod; echo "${COMPREPLY[@]}"')
has "completion of profiles" "$completed" olva
has "an entry of the journal is explained" "$(journalctl --dump-catalog 5d979674d9b5b84985ee3baa651c9d15)" "A carrier fails"

echo "-- two carriers, as the manual has them"
scale=2880   # a day in half a minute
origin=$(date -u +%Y-%m-%dT%H:%M:%SZ)
systemd-run --quiet --unit=demo-carriers /usr/local/bin/demo_carriers --port-file /run/demo-carriers.port \
  --time-scale $scale --time-origin "$origin" --password "secret of the carrier"
wait_for "the carriers" test -s /run/demo-carriers.port
port=$(cat /run/demo-carriers.port)
useradd --system --user-group --groups remitod shop
(umask 077; echo "secret of the carrier" >/etc/remitod/secrets/oca-password)
echo "key of the carrier" | systemd-creds encrypt --name=sealed_olva-key - /etc/remitod/secrets.sealed/olva-key 2>/dev/null
is "a secret is sealed" "$(grep -c "key of" /etc/remitod/secrets.sealed/olva-key)" 0
cat >$config <<TOML
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
[carriers.olva]
base_url = "http://127.0.0.1:$port"
secrets = { api_key = "credential:sealed_olva-key" }
TOML
mkdir -p /run/systemd/system/remitod.service.d
printf '[Service]\nWatchdogSec=3s\n' >/run/systemd/system/remitod.service.d/lab.conf
systemctl daemon-reload
is "--check-config" "$(exit_code remitod --check-config)" 0
systemctl restart remitod
is "restarted" "$(show ActiveState)" active
ask_remitos 1001 1010 | sql
sql "insert into shipments (order_number, carrier, remito) values ('2001', 'olva', '5500001')"
wait_for "ten remitos" none "remito_requests where state <> 'granted'"
wait_for "in transit" some "transitions where to_status = 'in_transit' and carrier = 'oca'"
wait_for "delivered" some "transitions where to_status = 'delivered' and carrier = 'oca'"
wait_for "the carrier with the sealed key" some "transitions where carrier = 'olva'"
remito=$(sql "select remito from transitions where to_status = 'in_transit' and carrier = 'oca' limit 1")
has "a shipment's story is selected in the journal" "$(journalctl --sync; journalctl -o cat REMITOD_SHIPMENT="oca:$remito")" "to=in_transit"
is "  and nothing else is" "$(journalctl -o cat REMITOD_SHIPMENT="oca:$remito" | grep -vc "remito=$remito")" 0

echo "-- reload"
before=$(pid)
cp $config /run/right.toml
printf '[carriers.centro]\nspeed = 1\n' >>$config
is "a wrong configuration is refused" "$(exit_code systemctl reload remitod)" 1
has "  the journal says where and what" "$(journal -o cat)" "carriers.centro.speed"
is "  and the daemon goes on" "$(show ActiveState) $(pid) $(carriers)" "active $before 2"
cp /run/right.toml $config
printf '[carriers.centro]\nprofile = "olva"\nsecrets = { api_key = "credential:secret_new" }\n' >>$config
systemctl reload remitod
wait_for "a secret that was not there at the start to be refused" journal_has reload_refused
is "  and the daemon goes on" "$(show ActiveState) $(pid) $(carriers)" "active $before 2"
cp /run/right.toml $config
printf '[carriers.centro]\nprofile = "olva"\nsecrets = { api_key = "credential:sealed_olva-key" }\n' >>$config
is "a right one is taken" "$(exit_code systemctl reload remitod)" 0
wait_for "the new carrier" follows 3
wait_for "the end of the reload" active
is "  by the same process" "$(pid) $(show NRestarts)" "$before 0"

echo "-- kill -9 amid the work, and a hang"
ask_remitos 1011 1110 | sql
until some "remito_requests where order_number > '1010' and state = 'granted'"; do :; done
kill -9 "$(pid)"
wait_for "the restart" shows NRestarts 1
wait_for "READY=1" active
kill -STOP "$(pid)"
wait_for "the watchdog's restart" shows NRestarts 2
wait_for "READY=1" active
wait_for "every request to end" none "remito_requests where state in ('pending', 'sending')"
is "no shipment was made twice" "$(in_carrier_stats duplicates)" 0

echo "-- drain"
unknown=$(count "remito_requests where state in ('unknown', 'needs_operator')")
ask_remitos 1111 1210 | sql
until some "remito_requests where order_number > '1110' and state = 'granted'"; do :; done
begun=$(date +%s)
systemctl stop remitod
is "within its time" "$(($(date +%s) - begun <= 20))" 1
is "  cleanly" "$(show Result) $(show ExecMainStatus)" "success 0"
is "  nothing was cut off" "$(count "remito_requests where state = 'sending'") $(count "remito_requests where state in ('unknown', 'needs_operator')")" \
  "0 $unknown"
systemctl start remitod

echo "-- a socket that systemd holds"
systemctl stop remitod
systemctl start remitod.socket
is "the socket" "$(mode /run/remitod/control.sock)" "660 remitod:remitod"
is "who asks starts the daemon" "$(exit_code answers) $(show ActiveState)" "0 active"
systemctl restart --no-block remitod
refused=0
for _ in $(seq 20); do answers || refused=$((refused + 1)); done
is "nobody is refused while it restarts" $refused 0
systemctl stop remitod.socket remitod
is "the socket's file is gone with it" "$(exit_code test -e /run/remitod/control.sock)" 1

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
systemctl start remitod

echo "-- upgrade"
before=$(pid)
seq=$(sql "select max(seq) from transitions")
said=$(apt install -o Dpkg::Options::=--force-confold "$NEW")
is "apt is content" $? 0
wait_for "the daemon" active
is "the new version runs" "$([ "$(pid)" != "$before" ] && echo another)" another
is "  on the same data" "$(sql "select count(*) from transitions where seq <= $seq")" "$seq"
is "  with the administrator's configuration" "$(grep -c carriers.centro $config)" 1
wait_for "it to go on" none "remito_requests where state in ('pending', 'sending')"
before=$(pid)
printf 'speed = 1\n' >>$config
said=$(apt install --reinstall -o Dpkg::Options::=--force-confold "$NEW")
has "a version that refuses the configuration says so" "$said" "goes on with the old version"
is "  and the old one goes on" "$(show ActiveState) $(pid)" "active $before"
sed -i '/^speed/d' $config

echo "-- upgrade of a database of the first schema"
systemctl stop remitod
as remitod mv $database $database.current
rm -f $database-wal $database-shm
{
  echo "begin; create table schema_migrations (version integer not null primary key, name text not null,
    applied_at integer not null default 0) strict;"
  cat /srv/0001_*.sql
  echo "insert into schema_migrations (version, name) values (1, 'first_schema');
    insert into shipments (order_number, carrier, remito) values ('2001', 'olva', '5500001'); commit;"
} | as remitod sh -c "umask 007; sqlite3 -batch $database"
said=$(apt install --reinstall -o Dpkg::Options::=--force-confold "$NEW")
systemctl start remitod
is "started" "$(show ActiveState)" active
is "the schema is of today" "$(($(count schema_migrations) > 1))" 1
wait_for "its shipment to be followed" some "transitions where carrier = 'olva'"
systemctl stop remitod
as remitod mv $database.current $database
rm -f $database-wal $database-shm
systemctl start remitod

echo "-- one of several marketplaces"
install -d -m 0700 /etc/remitod/tienda/secrets /etc/remitod/tienda/secrets.sealed
chmod 0755 /etc/remitod/tienda
cat >/etc/remitod/tienda/remitod.toml <<TOML
[database]
url = "sqlite:/var/lib/remitod/tienda/remitod.db"
[daemon]
control_socket = "/run/remitod/tienda/control.sock"
TOML
systemctl start remitod@tienda
is "runs beside the other" "$(systemctl is-active remitod@tienda remitod | tr '\n' ' ')" "active active "
is "  with a database and a socket of its own" \
  "$(mode /var/lib/remitod/tienda/remitod.db) $(mode /run/remitod/tienda/control.sock)" "660 remitod:remitod 660 remitod:remitod"
is "  which answers" "$(exit_code remitod --config /etc/remitod/tienda/remitod.toml --status)" 0

echo "-- removal"
apt remove remitod >/dev/null
is "apt is content" $? 0
is "nothing runs" "$(systemctl is-active remitod remitod@tienda | tr '\n' ' ')" "inactive inactive "
is "configuration and data are kept" "$(test -s $config && test -s $database && echo kept)" kept
said=$(apt purge remitod)
is "the configuration goes with a purge" "$(exit_code test -e /etc/remitod)" 1
is "  the data stay" "$(test -s $database && echo kept)" kept
has "  and it says how they go" "$said" "rm -r /var/lib/remitod"
is "no unit is left" "$(systemctl list-unit-files --no-legend 'remitod*' | wc -l)" 0
apt install "$NEW" >/dev/null
wait_for "a new installation" active
is "  finds the data" "$(sql "select count(*) from transitions where seq <= $seq")" "$seq"
exit $failed
