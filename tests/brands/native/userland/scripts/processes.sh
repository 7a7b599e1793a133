# background, wait, traps, exit
sleep 1 & a=$!; sleep 0.2 & b=$!; wait $b; echo $?; wait $a; echo $?
(sleep 0.1; exit 6) & wait $!; echo $?
sh -c 'exit 5'; echo $?; sh -c 'kill -TERM $$'; echo $?
trap 'echo term' TERM; kill -TERM $$; echo after
trap '' TERM; kill -TERM $$; echo ignored; sh -c 'kill -TERM $$; echo still'
trap - TERM; trap 'echo usr1' USR1
(sleep 0.1; kill -USR1 $$) & wait $! ; sleep 0.1; echo done
(trap 'echo sub exit' EXIT; echo in sub)
sh -c 'trap "echo bye" EXIT; exit 3'; echo $?
sh -c 'trap "exit 9" TERM; kill -TERM $$; echo not here'; echo $?
sleep 50 & kill $!; wait $!; echo $?
for i in 1 2 3; do (exit $i) & done; wait; echo all
x=$(exit 4); echo $?; x=$(echo out; exit 2); echo "$x $?"
echo a | (exit 3); echo $?; (exit 3) | cat; echo $?
VAR=exported; export VAR; sh -c 'echo $VAR'; TEMP=1 sh -c 'echo $TEMP'; echo "${TEMP-gone}"
sh -c 'echo $0 $1 $#' name one two; echo 'echo script $1' > /tmp/s$$; sh /tmp/s$$ arg
command -v echo; exec sh -c 'echo replaced; exit 8'
