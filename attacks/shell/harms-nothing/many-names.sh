# Makes more files than anybody wants to look at, in folders that nobody may enter.
for folder in 1 2 3 4 5 6 7 8; do
    mkdir "left-behind$folder"
    for name in {1..2000}; do
        : >"left-behind$folder/$name"
    done
    ln -s . "left-behind$folder/loop"
    chmod 0 "left-behind$folder"
done 2>/dev/null
