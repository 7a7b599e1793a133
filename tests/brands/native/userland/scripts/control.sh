# if while until for case functions lists
if true; then echo t; elif true; then echo e; else echo f; fi
if false; then echo t; elif true; then echo e; fi
n=0; while [ $n -lt 5 ]; do n=$((n+1)); [ $n = 2 ] && continue; [ $n = 4 ] && break; echo n$n; done
until [ $n = 0 ]; do n=$((n-1)); done; echo $n
for i in 1 2; do for j in a b c; do [ $j = b ] && continue 2; echo $i$j; done; done
for i in 1 2 3; do while true; do break 2; done; done; echo out $i
for w in foo.c bar.h x baz.cc '*'; do
  case $w in *.h) echo h ;; *.c|*.cc) echo c ;; '*') echo star;; [a-f]*) echo af;; *) echo other; esac
done
f() { echo "f $1 $#"; local_=3; return 4; }
f one two; echo $?
g() { if [ $1 -gt 0 ]; then echo g$1; g $(($1-1)); fi; }
g 3
h() { for i in "$@"; do [ "$i" = stop ] && return 7; echo h$i; done; }
h a b stop c; echo $?
true && echo and || echo or; false && echo and || echo or; ! true; echo $?
{ echo g1; false; }; echo $?
(exit 3); echo $?; (x=inner; echo $x); echo "outer ${x-none}"
x=1 eval 'echo e$x'; eval "y=2; echo \$y"
false; echo $?; true; echo $?
set -e
if false; then :; fi; false || echo saved; ! true || echo no
echo before; false; echo unreachable
