#!/bin/sh
# SPDX-License-Identifier: ISC
# One picture for each item of a file that bench wrote: medians, with the quartiles as error bars.
# Usage: sh bench/plots.sh FILE.tsv DIRECTORY
set -u
tsv=$1 dir=$2
if ! command -v gnuplot >/dev/null 2>&1; then
    echo "bench-plots: gnuplot is not installed (Debian: gnuplot-nox)" >&2
    exit 1
fi
if [ ! -r "$tsv" ]; then
    echo "bench-plots: there is no $tsv yet: make bench writes it" >&2
    exit 1
fi
mkdir -p "$dir" || exit 1
cpu=$(sed -n 's/^# cpu: //p' "$tsv")
grep -v '^#' "$tsv" | tail -n +2 | cut -f 1,2 | sort -u | while read -r item bytes; do
    name=$item title=$item
    [ "$bytes" -eq 0 ] || name=$item-$bytes title="$item, $bytes bytes"
    # Slower than 10 times the fastest would hide all others: such bars are cut off, and their label says the value.
    awk -F '\t' -v item="$item" -v bytes="$bytes" '
        $1 == item && $2 == bytes { print $3 "\t" $4 / 1000 "\t" $5 / 1000 "\t" $6 / 1000 }' "$tsv" >"$dir/plot.dat"
    if gnuplot <<END; then echo "$dir/$name.svg"; else exit 1; fi
set terminal svg size 900,480 font "sans,13" background "white"
set output "$dir/$name.svg"
set datafile separator "\t"
set title "$title: microseconds for one operation, less is better\n$cpu" noenhanced
stats "$dir/plot.dat" using 2 name "t" nooutput
top = t_max > 10 * t_min ? 10 * t_min : 1.15 * t_max
set yrange [0:top]
set style fill solid 0.6
set boxwidth 0.7
set xtics rotate by -35 noenhanced
set grid y
set rmargin 8
unset key
plot "$dir/plot.dat" using 0:(\$2 > top ? top : \$2):xtic(1) with boxes linecolor rgb "#4477aa", \
     "" using 0:2:3:4 with yerrorbars linecolor rgb "black" pointtype -1, \
     "" using 0:(\$2 > top * 0.93 ? top * 0.93 : \$2):(sprintf("%.4g", \$2)) with labels offset 0,0.7
END
done
rm -f "$dir/plot.dat"
