# One-liners of test_shell.py: a line "## name" and the script that follows it.
## pipeline
printf 'c\na\nb\n' | sort | tr a-z A-Z | tr '\n' ' '
## long-pipeline
seq 1 20000 | grep 7 | sort -rn | head -n 5 | tac | sed s/7/x/g
## subshell
x=1; (x=2; cd /; echo $x; exit 3); echo $? $x
## substitution
echo "[$(echo a; echo $(echo b | cat))]" `echo c`
## here-document
cat <<E
sum $((3 * 7))
$(echo inner)
E
## here-document-quoted
cat <<'E' | wc -l
$no
two
E
## background
for n in 3 1 2; do (sleep 0.$n; exit $n) & eval p$n=$!; done; for n in 1 2 3; do eval wait \$p$n; echo $n $?; done
## wait-all
sleep 0.2 & sleep 0.1 & wait; echo $?
## trap
trap 'echo usr1' USR1; kill -USR1 $$; trap 'echo bye' EXIT; echo end
## trap-in-child
(trap 'echo child' TERM; kill -TERM $(sh -c 'echo $PPID')); echo $?
## kill
sleep 60 & kill $!; wait $! 2>/dev/null; echo $?
## kill-9
sh -c 'kill -9 $$' 2>/dev/null; echo $?
## fifo
mkfifo p; (echo through >p) & cat p; wait; rm p
## fifo-both
mkfifo q; cat q & for i in 1 2 3; do echo $i; done >q; wait; rm q
## sigpipe
yes | head -n 3; seq 1 100000 | head -n 1
## status
false | true; echo $?; true | false; echo $?; nosuchcmd 2>/dev/null; echo $?
## redirect
{ echo o; echo e >&2; } >f 2>&1; cat f; echo a >>f; wc -l <f; rm f
## descriptors
exec 5>g; echo five >&5; exec 5>&-; cat g; rm g
## find-xargs
mkdir -p a/b/c; for i in 1 2 3; do echo $i >a/b/f$i; done; find a -type f | sort | xargs cat; find a -name 'f[12]' | wc -l; rm -r a
## xargs-n
seq 1 9 | xargs -n 4 echo
## tar
mkdir -p t/u; echo one >t/1; ln -s 1 t/l; echo deep >t/u/2; mkdir x; tar c t | tar x -C x; cat x/t/1 x/t/l x/t/u/2; ls x/t; rm -r t x
## gzip
seq 1 5000 | gzip | gunzip | md5sum
## sort
seq 1 3000 | awk '{print $1 * 7919 % 3001}' | sort -n | head -n 3; printf 'b 2\na 10\nc 1\n' | sort -k2 -n
## awk
seq 1 100 | awk '{s += $1; q[$1 % 3]++} END {print s, q[0], q[1], q[2]}'
## awk-strings
echo 'a:b:c' | awk -F: '{print toupper($2) length($0) substr($0, 3)}'
## sed
seq 1 10 | sed -n '3,5p;$s/0/z/p'; echo hello | sed 's/l\(.\)/<\1>/g;y/h/H/'
## sed-i
echo abc >s; sed -i s/b/X/ s; cat s; rm s
## cut-paste
printf '1,2\n3,4\n' | cut -d, -f2 | paste -s -d+ -
## uniq
printf 'a\na\nb\na\n' | uniq -c | awk '{print $1 $2}'
## dd
dd if=/dev/zero bs=1k count=64 2>/dev/null | wc -c
## dev-null
echo x >/dev/null; cat /dev/null; wc -c </dev/null
## loops
for i in a b c; do case $i in b) continue;; esac; echo $i; done; n=0; while [ $n -lt 3 ]; do n=$((n + 1)); done; echo $n; until false; do break; done
## functions
f() { local x=$1; [ $x -le 1 ] && { echo 1; return; }; echo $((x * $(f $((x - 1))))); }; f 6
## read
printf '1 2\n3 4\n' | while read a b; do echo $((a * b)); done
## glob
touch a1 a2 b1; echo a* [!a]1; rm a? b1; echo a*
## expansion
v=path/to/file.txt; echo ${v##*/} ${v%.*} ${#v} ${u:-none} "${v#*/}"
## test
mkdir d; ln -s d l; [ -d d ] && [ -L l ] && [ ! -e z ] && echo ok; rm -r d l
## umask
umask 027; : >m; ls -l m | cut -c1-10; rm m
## links
echo x >h; ln h i; ls -l h | awk '{print $2}'; readlink -f i | sed 's,.*/,,'; rm h i
## exec
exec sh -c 'echo $0 $1' zero one
## nested
seq 1 100 | (sed -n 's/7$/&/p' | (wc -l))
## many-forks
n=0; while [ $n -lt 30 ]; do (exit $n); n=$((n + 1)); done; echo $n $?
## env
A=1 sh -c 'echo $A'; B=2; sh -c 'echo [$B]'; export B; sh -c 'echo [$B]'
## ulimit
(ulimit -n 64; ulimit -n)
## seek
printf 0123456789 >k; dd if=k bs=1 skip=3 count=4 2>/dev/null; rm k; echo
## od
printf 'A\000B' | od -An -tx1
## expr
expr 6 \* 7; expr abc : 'a\(.\)c'
## tee
echo t | tee t1 t2 >/dev/null; cat t1 t2; rm t1 t2
## timeout
timeout 1 sleep 5; echo $?
## orphan
(sh -c 'sleep 0.2; echo orphan >o' &); sleep 1; cat o; rm o
