# Runs as the service would, in its sandbox: what can whoever has taken the daemon over see and do? One line per attempt,
# "what: outcome". checks.sh has the outcomes that are wanted.
try() {  # try WHAT COMMAND...: "done", or why not, as its first line of complaint ends
  local what=$1 message
  shift
  if message=$("$@" 2>&1); then message=done; fi
  message=${message%%$'\n'*}
  echo "$what: ${message##*: }"
}
append() { echo x >>"$1"; }

echo "user: $(id -un):$(id -gn)"
try "write to its state folder" append /var/lib/remitod/probe
try "read its credential" cat "$CREDENTIALS_DIRECTORY/secret_oca-password"
try "read the secret's file" cat /etc/remitod/secrets/oca-password
try "write to a file open to all" append /etc/open-to-all
try "change its own configuration" append /etc/remitod/remitod.toml
try "read the kernel's settings" cat /proc/sys/kernel/core_pattern
try "see another process" cat /proc/1/comm
try "see people's folders" ls /home
try "make a namespace" unshare --user true
try "make a file set-user-ID" chmod u+s /var/lib/remitod/probe
rm -f /var/lib/remitod/probe
