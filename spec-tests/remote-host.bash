# shellcheck shell=bash
# Another host, on loopback: sshd, vsftpd and rsyslogd as Debian has them, with
# configurations, keys and users of their own. Load after helper.
#
#   remote_host_make      $REMOTE_DIR, with the directory home
#   remote_ssh_start      $REMOTE_SSH_PORT: SCP and SFTP, user $REMOTE_USER
#   remote_ftp_start      $REMOTE_FTP_PORT: FTP, user $REMOTE_FTP_USER
#   remote_syslog_start   $REMOTE_UDP_PORT and $REMOTE_TCP_PORT; what came is in
#                         $REMOTE_DIR/syslog
#   remote_host_end       in teardown: all of it is gone
#
# The password is $REMOTE_PASSWORD everywhere. A server that was stopped is
# started at the port that it had. None of them runs as root, whoever runs the
# tests, so that a directory without write permission has none; and none needs
# an account of this machine: sshd sees users that nss_wrapper gives it, and
# vsftpd takes the password of "anonymous" seriously.

REMOTE_USER=logs
export REMOTE_FTP_USER=ftp
export REMOTE_PASSWORD=Remote.Secret1

# remote_owner: who owns what the remote host has; remote_run: be that one
remote_owner() { if [ "$(id -u)" -eq 0 ]; then echo 65534; else id -u; fi; }
remote_group() { if [ "$(id -u)" -eq 0 ]; then echo 65534; else id -g; fi; }
remote_as=()
[ "$(id -u)" -ne 0 ] ||
  remote_as=(setpriv --reuid=65534 --regid=65534 --clear-groups)

remote_host_make() {
  REMOTE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/touchstone-remote.XXXXXX")
  export REMOTE_DIR
  mkdir "$REMOTE_DIR/home" "$REMOTE_DIR/etc"
  ssh-keygen -q -t ed25519 -N '' -f "$REMOTE_DIR/etc/host_key"
  cat >"$REMOTE_DIR/etc/passwd" <<END
root:x:0:0:root:/root:/bin/sh
$REMOTE_USER:x:$(remote_owner):$(remote_group):logs:$REMOTE_DIR/home:/bin/sh
END
  echo "remote:x:$(remote_group):" >"$REMOTE_DIR/etc/group"
  printf '%s:%s:19000:0:99999:7:::\n' "$REMOTE_USER" \
    "$(openssl passwd -6 "$REMOTE_PASSWORD")" >"$REMOTE_DIR/etc/shadow"
  echo "$REMOTE_PASSWORD" >"$REMOTE_DIR/etc/passwords"
  remote_ssh_sftp="Subsystem sftp internal-sftp"
  : >"$REMOTE_DIR/syslog"
  chmod 755 "$REMOTE_DIR"
  chown -R "$(remote_owner):$(remote_group)" "$REMOTE_DIR"
}

# remote_directory NAME [MODE]: one below home, for files to arrive in
remote_directory() {
  mkdir -p "$REMOTE_DIR/home/$1"
  chown "$(remote_owner):$(remote_group)" "$REMOTE_DIR/home/$1"
  chmod "${2:-755}" "$REMOTE_DIR/home/$1"
}

# remote_inetd NAME PORT PROGRAM ARGS...: the port that it has; "": a free one
remote_inetd() {
  local name=$1 port=$2 said
  shift 2
  : >"$REMOTE_DIR/$name.out"
  "${remote_as[@]}" "$TOP/spec-tests/inetd.py" ${port:+--port "$port"} "$@" \
    >"$REMOTE_DIR/$name.out" 2>>"$REMOTE_DIR/$name.log" 3>&- &
  echo $! >"$REMOTE_DIR/$name.pid"
  wait_for "port " "$REMOTE_DIR/$name.out"
  read -r _ said <"$REMOTE_DIR/$name.out"
  echo "$said"
}

# remote_stop NAME: ssh, ftp or syslog; its connections, too
remote_stop() {
  local pid
  [ -e "$REMOTE_DIR/$1.pid" ] || return 0
  pid=$(<"$REMOTE_DIR/$1.pid")
  rm "$REMOTE_DIR/$1.pid"
  pkill -P "$pid" || true
  kill "$pid" 2>/dev/null || true
  timeout 20 tail -s 0.02 --pid="$pid" -f /dev/null
}

# remote_deaf NAME: connections are accepted from now on, and nobody answers
remote_deaf() {
  kill -USR1 "$(<"$REMOTE_DIR/$1.pid")"
  wait_for deaf "$REMOTE_DIR/$1.out"
}

# remote_ssh_start [LINE...]: more lines of sshd_config, before the others
remote_ssh_start() {
  {
    printf '%s\n' "$@"
    cat <<END
HostKey $REMOTE_DIR/etc/host_key
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication no
LogLevel VERBOSE
$remote_ssh_sftp
END
  } >"$REMOTE_DIR/etc/sshd_config"
  REMOTE_SSH_PORT=$(remote_inetd ssh "${REMOTE_SSH_PORT-}" env \
    LD_PRELOAD=libnss_wrapper.so \
    NSS_WRAPPER_PASSWD="$REMOTE_DIR/etc/passwd" \
    NSS_WRAPPER_GROUP="$REMOTE_DIR/etc/group" \
    NSS_WRAPPER_SHADOW="$REMOTE_DIR/etc/shadow" \
    /usr/sbin/sshd -i -e -f "$REMOTE_DIR/etc/sshd_config")
  export REMOTE_SSH_PORT
}

# remote_ssh_without_sftp: from the next start on, only the old SCP protocol
remote_ssh_without_sftp() { remote_ssh_sftp=; }

# remote_ssh_new_key: another one, as if it were another host
remote_ssh_new_key() {
  rm "$REMOTE_DIR/etc/host_key" "$REMOTE_DIR/etc/host_key.pub"
  ssh-keygen -q -t ed25519 -N '' -f "$REMOTE_DIR/etc/host_key"
  chown "$(remote_owner)" "$REMOTE_DIR/etc/host_key"
}

# remote_ssh_fingerprint: "SHA256:...", as ssh-keygen has it
remote_ssh_fingerprint() {
  ssh-keygen -lf "$REMOTE_DIR/etc/host_key.pub" | cut -d' ' -f2
}

remote_ftp_start() {
  cat >"$REMOTE_DIR/etc/vsftpd.conf" <<END
listen=NO
run_as_launching_user=YES
anonymous_enable=YES
local_enable=NO
secure_email_list_enable=YES
email_password_file=$REMOTE_DIR/etc/passwords
anon_root=$REMOTE_DIR/home
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
allow_writeable_chroot=YES
delay_failed_login=0
seccomp_sandbox=NO
xferlog_enable=YES
log_ftp_protocol=YES
vsftpd_log_file=$REMOTE_DIR/ftp.said
END
  chown "$(remote_owner)" "$REMOTE_DIR/etc/vsftpd.conf"
  REMOTE_FTP_PORT=$(remote_inetd ftp "${REMOTE_FTP_PORT-}" \
    /usr/sbin/vsftpd "$REMOTE_DIR/etc/vsftpd.conf")
  export REMOTE_FTP_PORT
}

# remote_syslog_start: UDP and TCP. Lines in $REMOTE_DIR/syslog are
# "FACILITY.SEVERITY UDP|TCP " and then what rsyslogd makes of the message by
# its traditional format.
remote_syslog_start() {
  local dir=$REMOTE_DIR tries port pid
  for tries in 1 2 3 4 5 6 7 8; do
    port=${REMOTE_UDP_PORT:-$((10000 + RANDOM % 20000))}
    cat >"$dir/etc/rsyslog.conf" <<END
global(workDirectory="$dir" net.enableDNS="off"
  processInternalMessages="on")
module(load="imudp")
module(load="imtcp")
template(name="line" type="string" string="%syslogfacility-text%.%syslogseverity-text% %inputname% %TIMESTAMP% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\n")
input(type="imudp" address="127.0.0.1" port="$port" name="UDP")
input(type="imtcp" address="127.0.0.1" port="$port" name="TCP")
syslog.* action(type="omfile" file="$dir/syslog.self")
local0.*;local1.*;local2.*;local3.*;local4.*;local5.*;local6.*;local7.* action(type="omfile" file="$dir/syslog" template="line")
END
    : >"$dir/syslog.self"
    chown "$(remote_owner)" "$dir/syslog.self"
    "${remote_as[@]}" /usr/sbin/rsyslogd -n -f "$dir/etc/rsyslog.conf" \
      -i "$dir/etc/rsyslogd.pid" >>"$dir/syslog.log" 2>&1 3>&- &
    pid=$!
    echo "$pid" >"$dir/syslog.pid"
    wait_for "] start" "$dir/syslog.self"
    grep -q -i -E "bind|no udp socket" "$dir/syslog.self" "$dir/syslog.log" || break
    remote_stop syslog
    : >"$dir/syslog.log"
    [ "$tries" -lt 8 ]
  done
  REMOTE_UDP_PORT=$port
  REMOTE_TCP_PORT=$port
  export REMOTE_UDP_PORT REMOTE_TCP_PORT
}

# remote_syslog_says TEXT: wait until a line has it
remote_syslog_says() { wait_for "$1" "$REMOTE_DIR/syslog"; }

remote_host_end() {
  [ -d "${REMOTE_DIR-}" ] || return 0
  remote_stop ssh
  remote_stop ftp
  remote_stop syslog
  chmod -R u+rwX "$REMOTE_DIR"
  rm -r "$REMOTE_DIR"
}
