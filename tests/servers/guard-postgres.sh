#!/bin/sh
# guard-postgres.sh ROOT PG_CTL [COMMAND…]: wait until standard input ends, then stop the server and remove ROOT.
# The test process holds the other end of that pipe, and the kernel closes it however that process dies; the server
# itself may have been restarted any number of times meanwhile. COMMAND is in front of PG_CTL: it drops root.
root=$1 pg_ctl=$2
shift 2
read -r _
"$@" "$pg_ctl" -D "$root/data" -m immediate -w stop >/dev/null 2>&1
rm -rf "$root" 2>/dev/null || { sleep 1; rm -rf "$root"; }
