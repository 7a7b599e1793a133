# redirections, pipes, here-documents, names of files
cd "$1" || exit 8
echo one > a; echo two >> a; cat a; cat < a | wc -l | { read n; echo $((n)); }
cat <<E
x is ${x:-unset} \$x `echo cmd`
  kept
E
cat <<'E'
raw $x `no`
E
cat <<-E
	tabs gone
	E
cat <<A; cat <<B
first
A
second
B
echo err >&2 2>/dev/null; { echo out; echo err >&2; } 2>&1 | cat
ls none 2>/dev/null || echo failed; exec 3>c; echo to3 >&3; exec 3>&-; cat c
{ echo g1; echo g2; } > d; read a b < d; echo "$a:$b"
while read line; do echo "got $line"; done < a
echo x y z > e; read p q < e; echo "$p|$q"
printf '%s\n' 'a\b' > e; read -r p < e; printf '%s\n' "$p"
echo * ; echo [ab] ; echo ? ; echo none* ; echo "*" \*
cd sub; cd ..; echo 1 > sub/f1; echo 2 > sub/f2; echo sub/* */f1
set -f; echo *; set +f
test -f a && test -d sub && [ ! -e nope ] && [ -s a ] && [ -n x -a -z "" ] && echo tests
[ a = b -o c = c ] && [ 3 -gt 2 ] && ! [ 1 -ge 2 ] && echo more
echo piped | (cat; echo sub) | head -1
(echo in; echo lines) | while read l; do echo "<$l>"; done
for i in 1 2 3; do echo $i; done | { s=0; while read k; do s=$((s+k)); done; echo $s; }
echo over | cat - a 2>/dev/null | head -2
/no/such/program 2>/dev/null; echo $?; nosuchcommand 2>/dev/null; echo $?
echo ${PWD##*/}
(cd sub; echo ${PWD##*/}; echo $OLDPWD > /dev/null); cd sub; cd - > /dev/null; echo ${PWD##*/}
umask 027; umask | { read m; echo ${m#0}; }
