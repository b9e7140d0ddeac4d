#!/usr/bin/env bash
# verify-by-hand.sh LOG_DIRECTORY PUBLIC_KEY.pem (docs/format.md). Exit code 0: good, 1: not what was sealed, 4: missing, 3: cannot check.
set -u; export LC_ALL=C; shopt -s nullglob; broken=0 missing=0 newest=0 seq=-1 when='' leaf=()
say() { printf '%-8s %s\n' "$1" "${2//[^[:print:]]/?}"; }; cannot() { say CANNOT "check: $1" >&2; exit $((broken ? 1 : 3)); }
bad() { say BAD "$1"; broken=1; return 1; }; gone() { say MISSING "$1"; missing=1; return 1; }
unhex() { tr a-f A-F | basenc -d --base16; }; end() { ((broken)) && exit 1; ((missing)) && exit 4; say GOOD "$1"; exit 0; }
same() { [[ -f $dir/$1 ]] || gone "$1" || return; [[ $(sha256sum <"$dir/$1") == "$2" ]] || bad "$1 is not what was sealed"; }
note() { # OBJECT COUNT: whether the key has signed its text of COUNT lines, which are then in $tmp/text and ${text[@]}
  local line all good=1 IFS=$'\n'; [[ -f $dir/$1 ]] && head -c 73728 "$dir/$1" >"$tmp/note" && head -n "$2" "$tmp/note" >"$tmp/text" || return
  mapfile -t text <"$tmp/note"; all="${text[*]}"; [[ ! ${text[$2]-?} && $(stat -c %s "$tmp/note") == $((${#all} + 1)) ]] || return
  for line in "${text[@]:$2+1}"; do [[ $line == '— '* ]] && base64 -d <<<"${line##* }" 2>/dev/null | tail -c 64 >"$tmp/sig" || return
    [[ $line == "— $origin $(cat "$tmp/id" "$tmp/sig" | base64 -w 0)" ]] || continue # another key's line says nothing
    openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$tmp/text" -sigfile "$tmp/sig" &>/dev/null && good=0 || return
  done; text=("${text[@]:0:$2}"); return $good; }
root() { # the RFC 6962 tree hash of leaf hashes: one sha256sum for each level of the tree
  local odd next; while (($# > 1)); do rm -f "$tmp"/node.*; odd=(); (($# % 2)) && odd=("${!#}")
    printf '01%s%s' "${@:1:$# / 2 * 2}" | unhex | split -a 6 -b 65 - "$tmp/node."
    mapfile -t next < <(sha256sum "$tmp"/node.*); set -- "${next[@]%% *}" "${odd[@]}"; done; echo "$1"; }
dir=$(realpath -- "${1-}" 2>/dev/null) && key=$(realpath -- "${2-}" 2>/dev/null) || cannot 'usage: LOG_DIRECTORY PUBLIC_KEY.pem'
[[ $(openssl pkeyutl -help 2>&1) == *-rawin* ]] && type jq zstd basenc &>/dev/null || cannot 'openssl 3, jq, zstd and coreutils are needed'
der=$(openssl pkey -pubin -in "$key" -outform DER 2>/dev/null | basenc --base16 -w 0)
[[ $der == 302A300506032B6570032100* ]] && tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT || cannot "$key is no Ed25519 public key (PEM)"
files=("$dir"/manifest/*); ((${#files[@]})) || cannot "there are no manifests in $dir"; [[ -f $dir/log.note ]] || gone log.note || end
origin=$(head -c 9999 "$dir/log.note" | jq -nRr 'input | input | fromjson | .log' 2>/dev/null) # all else must bear this name
{ printf '%s\n\1' "$origin"; unhex <<<"${der:24}"; } | sha256sum | head -c 8 | unhex >"$tmp/id" # the key's id under this name
note log.note 2 && [[ $origin =~ [^/]+/[^/]+/[0-9a-f]{16}$ && $dir == */"${BASH_REMATCH[0]}" ]] || bad 'log.note: no good signature or place' || end
for file in "${files[@]}"; do name=${file##*/}
  [[ $name =~ ^[0-9]{12}-[0-9a-f]{16}\.note$ ]] && note "manifest/$name" 2 || bad "manifest/$name: no good signature" || continue
  seq=$((10#${name:0:12})) size=$((${#text[0]} + ${#text[1]} + 2)); { printf '\0'; printf '%s\n' "${text[@]}"; } >"$tmp/leaf"
  mapfile -t sums < <(sha256sum "$tmp"/{note,text,leaf}); leaf[seq]=${sums[2]%% *}
  [[ ${sums[0]} == "${name:13:16}"* && ${text[0]} == audit-shipper/manifest/v1 ]] || bad "manifest/$name: wrong name or version"
  printf -v size '\\x%02x\\x%02x' $((size / 256)) $((size % 256)); { printf %b "$size"; printf '%s\n' "${text[@]}"; } >>"$tmp/bundle.$((seq / 256))"
  printf '%s %s %s\n' "${name:0:12}" "${sums[1]%% *}" "${text[1]}" >>"$tmp/chain"; done
while IFS=$'\t' read -r what a b c d e f; do case $what in bad | gone | cannot) $what "$a" ;; note) say NOTE "$a" ;; time) when=$a ;; same) same "$a" "$b  -" ;; data)
  if same "$a" "$b  -"; then zstd -dcq <"$dir/$a" 2>/dev/null | head -c $((d + 1)) >"$tmp/raw"; read -r n raw < <(wc -lc <"$tmp/raw")
    torn=false; [[ $(tail -c 1 "$tmp/raw" | basenc --base16) == 0A ]] || { torn=true; ((n++)); }
    [[ "$(stat -c %s "$dir/$a") $raw $n $torn" == "$c $d $e $f" ]] || bad "$a: size, raw_size, lines or unterminated"; fi
esac; done < <(jq -nRr --arg log "$origin" 'foreach (inputs | {file: .[:12], hash: .[13:77], m: (.[78:] | fromjson)}) as {$file, $hash, $m} (
  {seq: 0, prev: ("0" * 64)}; ($m.seq | floor) as $n | $m.data as $d | ($n > .seq) as $gap | "manifest \($n)" as $it
  | [$m.log, $n, $m.kind == "genesis", $m.kind == "batch", $m.prev, ($d.raw_size // 0), $d.key] as $is | [$log, ($file | tonumber),
      $n == 0, $d != null, if $gap then $m.prev else .prev end, ([$m.sources[] | .end - .start] | add // 0), if $d then
      "events/date=\($m.time.wall[:10])/hour=\($m.time.wall[11:13])/\($file)-\($d.sha256[:16]).ndjson.zst" else null end] as $must
  | .told = (.told or ($m.notice.reason // "" | test("^(gap|source-)"))) | reduce $m.sources[] as $s (if $gap then .ends = null else . end;
      .jump = (.jump or ($s.start != 0 and .ends != null and (.ends | index($s.start)) == null)) | .ends = ((.ends // []) - [$s.start] + [$s.end])[-8:])
  | .out = [["time", $m.time.wall], (select($gap) | ["gone", "manifests \(.seq) to \($n - 1)"]),
      (select($is != $must) | ["bad", "\($it) has \($is | tojson), not \($must | tojson)"]),
      (select("\($m.kind) \($m.epoch) \($m.next_vkey)" | test("^(genesis|batch|heartbeat|notice|shutdown) null null$") | not) | ["cannot", "\($it): unknown"]),
      ($m.notice, $m.supersedes | values | [if .reason == "gap" then "gone" else "note" end,
        "\($it): \(.reason // "supersedes \(.log) \(.seq)"): \(.detail // .sha256)"]),
      (select($d and .jump and (.told | not)) | ["gone", "bytes before \($it): no notice tells why it begins where it does"]),
      ($d | values | ["data", .key, .sha256, .size, (.raw_size | floor), .lines, .unterminated]), ($m.findings | values | ["same", .key, .sha256])]
  | if $d then .jump = false | .told = false else . end | .seq = $n + 1 | .prev = $hash; .out[] | @tsv)' "$tmp/chain" || printf 'bad\tnot the format\n')
for file in "$dir"/checkpoint/*; do name=${file##*/}; note "checkpoint/$name" 3 && hash=$(base64 -d <<<"${text[2]}" | basenc --base16 -w 0) &&
  [[ ${text[0]} == "$origin" && ${#hash} == 64 && $name == "$(printf %012d "${text[1]}")-$(head -c 16 <<<"${hash,,}").note" ]] ||
  bad "checkpoint/$name: no good signature or name" || continue; n=$((10#${name:0:12})); ((n <= newest)) || newest=$n top=${hash,,}; done
((newest)) || gone 'every checkpoint'; ((newest <= seq + 1)) || gone "manifests $((seq + 1)) to $((newest - 1)): a checkpoint covers them"
if ((newest && newest <= seq + 1 && ${#leaf[@]} == seq + 1)); then [[ $(root "${leaf[@]:0:newest}") == "$top" ]] || bad "checkpoint $newest has another root"
  for ((n = 0; (n + 1) * 256 <= newest; n++)); do printf -v name %03d "$n"; same "tile/entries/$name" "$(sha256sum <"$tmp/bundle.$n")"
    same "tile/0/$name" "$(printf %s "${leaf[@]:n * 256:256}" | unhex | sha256sum)"; done; fi
end "$origin: manifests 0 to $seq, the newest of $when; checkpoint $newest"
