#!/bin/sh
# guard-one.sh ROOT PROGRAM [ARGUMENT…]: run the program until standard input ends, then end all it started and
# remove ROOT. The test process holds the other end of that pipe, and the kernel closes it however that process dies.
root=$1
shift
trap '' TERM
# The program forgets that this shell ignores the signal.
( trap - TERM; exec "$@" ) </dev/null &
read -r _
# All that the program started has this session's process group…
kill -TERM 0
# … save what went into a session of its own, which has ROOT for its root folder or its program there.
for process in /proc/[0-9]*; do
    case "$(readlink "$process/root" 2>/dev/null)" in
    "$root"*) kill "${process#/proc/}" 2>/dev/null ;;
    esac
done
wait
rm -rf "$root" 2>/dev/null || { sleep 1; rm -rf "$root"; }
