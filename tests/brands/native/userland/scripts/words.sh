# quoting, parameters, splitting, substitution
x=5 y='a  b' empty=
echo $y "$y" ${x} ${#y} ${z:-def} "${z-}" ${x:+set} ${empty:-e} "${empty-x}"
echo "a$x'b'" 'a$x"b"' a\$x\ b "tick \`echo no\`" "q\"q"
p=/a/b/c.tar.gz; echo ${p##*/} ${p%.*} ${p%%.*} ${p#*/} "${p%/*}"
echo $((1+2*3)) $((x*2 > 9)) $(( (1<<4) | 1 )) $((-7/2)) $((7%3)) $((x==5?10:20)) $((1&&0||1))
set -- q "w e" r
for a; do echo "<$a>"; done
for a in "$@"; do echo "[$a]"; done
for a in $*; do echo "($a)"; done
IFS=-; echo "$*"; v=a-b-c; for a in $v; do echo "i$a"; done; unset IFS
echo $# $1 "$2"; shift 2; echo $# $1
echo $(echo sub; echo two) "$(echo kept; echo lines)" `echo back \`echo nested\``
echo "${z:=assigned}" $z
echo ${x:-"quoted default"} ${nope:-$(echo from command)}
echo "in ${nope:-a "b" c}"
a=1 b=$a; echo $b
set --; echo "none: $# $@ $*"; for a in "$@"; do echo never; done
echo ~ | cat > /dev/null; HOME=/home/x; echo ~ ~/y "~"
printf '%s-%03d|%-5s|%x\n' a 5 l 255 b 6 r 16
printf '%b\n' 'tab\there' ; printf 'no args\n'; printf '%c%c\n' xyz abc
echo "multi
line" 'and
this'
