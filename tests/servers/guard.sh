#!/bin/sh
# guard.sh ROOT MASTER: run both servers until standard input ends, then stop them and remove ROOT.
# The test process holds the other end of that pipe, and the kernel closes it however that process dies.
# (A parent-death signal would not do: Postfix's master changes its user id, which clears it, prctl(2).)
dovecot -F -c "$1/dc/dovecot.conf" &
dovecot=$!
"$2" -c "$1/pf/etc" -s &
postfix=$!
read -r _
kill "$dovecot" "$postfix"
wait
# A child that outlives its master for a moment may still be writing.
rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
