#!/bin/bash -eu
# Builds every target for OSS-Fuzz and ClusterFuzzLite, into $OUT: the binary, its seeds, its words, its options.
# They set SRC, OUT and the sanitizer's flags; fuzz/oss-fuzz/check sets them too, and so tries this file without either.
cd "$SRC/ringfence"

# Their compiler may be a stable one; AddressSanitizer is in it, but asks for this word.
export RUSTC_BOOTSTRAP=1
cargo fuzz build # release, with debug assertions and AddressSanitizer, unless told otherwise

host=$(rustc -vV | sed -n 's/^host: //p')
# NAME DICTIONARY MAX_LEN, a line for each target: `cargo suite seeds` writes it.
while read -r name words max_len; do
    # A link where it can be one: the binaries are some gigabytes.
    binary=fuzz/target/$host/release/$name
    cp --force --link "$binary" "$OUT/$name" 2>/dev/null || cp --force "$binary" "$OUT/$name"
    inputs=("fuzz/corpus/$name"/seed-*)
    [[ -d fuzz/regressions/$name ]] && inputs+=("fuzz/regressions/$name"/*)
    zip --quiet --junk-paths "$OUT/${name}_seed_corpus.zip" "${inputs[@]}"
    printf '[libfuzzer]\nmax_len = %s\ntimeout = 25\nrss_limit_mb = 512\n' "$max_len" > "$OUT/$name.options"
    if [[ $words != - ]]; then
        cp "fuzz/dictionaries/$words.dict" "$OUT/$name.dict"
        printf 'dict = %s.dict\n' "$name" >> "$OUT/$name.options"
    fi
done < fuzz/dictionaries/targets.txt
