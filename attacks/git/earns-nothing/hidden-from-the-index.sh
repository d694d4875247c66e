# Keeps the packs, and removes or empties what git has computed from them.
for git in */.git *.git; do
    rm -f "$git"/objects/pack/*.idx "$git"/objects/pack/*.rev
    for pack in "$git"/objects/pack/*.pack; do
        : >"${pack%.pack}.idx"
    done
done
