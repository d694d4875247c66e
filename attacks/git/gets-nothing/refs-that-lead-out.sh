# Refs whose names and targets are paths to other files.
for git in */.git *.git; do
    mkdir -p "$git/refs/heads"
    for name in main search payments; do
        echo 'ref: ../../../../../../etc/passwd' >"$git/refs/heads/$name"
    done
    echo 'ref: /tests/test_1_merge.py' >"$git/HEAD"
done
