# SPDX-License-Identifier: ISC
# Joins the files that `order` names into the outputs that it names. Run by make.sh in the root of the tree, as
#
#   awk -v dir=WHERE -v origin=ONE-LINE -f join.awk LIST-OF-ALL-FILES LICENSE order
#
# Text is passed on as it is, but for four things:
#  - A line that includes a file of ours goes: the file stands above already, or (part) takes the line's place.
#  - Behind a source, the macros that it and its parts defined are undefined: it was a world of its own, and shall not
#    reach into the next one. Not a macro of the source itself inside #ifndef of that name: what a system lacks.
#  - The license line of each file stands once, at the top.
#  - In svconn.c, what its own headers declare has SVCONN_INTERNAL in front, which makes it static (internal_begin below). C lets the
#    definition of a function inherit that. Constants have no place in a header then: C++ knows no declaration of a static one. So their
#    definitions have it, and stand before the sources that use them.
#
# Nothing is renamed. Two sources with a static function of one name are an error for the compiler, and for the sources.

function fail(text) {
    print "amalgamation: " text >"/dev/stderr"
    failed = 1
    exit 1
}

function base(path) {
    sub(/.*\//, "", path)
    return path
}

# Is the text of a header in this output, or in one that this one uses?
function stands(path, out, i, n, used) {
    if ((out, path) in has) return 1
    n = split(uses[out], used, " ")
    for (i = 1; i <= n; i++) if (stands(path, used[i])) return 1
    return 0
}

# A line of one file, which is a line of `top`, too
function line(text, path, top, name) {
    if (text ~ /^[ \t]*#[ \t]*include[ \t]*"/) {
        name = text
        sub(/^[^"]*"/, "", name)
        sub(/".*/, "", name)
        if (!(name in path_of)) fail(path " includes " name ", which is not in the list")
        name = path_of[name]
        if (kind[name] == "part") {
            body(name, top)
            return
        }
        if (!stands(name, output)) fail(path " includes " name ", which does not stand before it in " output)
        return
    }
    if (text ~ /^[ \t]*#[ \t]*define[ \t]/) {
        name = text
        sub(/^[ \t]*#[ \t]*define[ \t]+/, "", name)
        sub(/[^A-Za-z_0-9].*/, "", name)
        if (top ~ /\.h$/) of_header[output, name] = path
        else if ((output, name) in of_header) fail(path " defines " name ", as " of_header[output, name] " does")
        else if (!(name in marked) && (path != top || lacking != name)) {
            marked[name] = 1
            macro[++macros] = name
        }
    }
    if (output == "svconn.c") {
        if (top !~ /\.h$/) sub(/^const [^(]*=/, "SVCONN_INTERNAL &", text)
        else if (text ~ /^extern /) return
        else if (text ~ /^[A-Za-z_]/ && text !~ /^(static|typedef|__extension__|enum|struct|_Static_assert)[ (]/) text = (top in shared ? "SVCONN_SHARED " : "SVCONN_INTERNAL ") text
    }
    lacking = ""
    if (text ~ /^[ \t]*#[ \t]*ifndef[ \t]/) {
        lacking = text
        sub(/^[ \t]*#[ \t]*ifndef[ \t]+/, "", lacking)
        sub(/[^A-Za-z_0-9].*/, "", lacking)
    }
    print text >target
}

function body(path, top, text, status, n) {
    if (path in open_now) fail(path " includes itself")
    open_now[path] = 1
    parts_used[path] = 1
    while ((status = (getline text <path)) > 0) {
        n++
        if (n == 1 && text == license_line) continue
        line(text, path, top)
    }
    if (status < 0) fail("cannot read " path)
    if (n == 0) fail(path " is empty")
    close(path)
    delete open_now[path]
}

function put(path, i) {
    print "\n/* ======== " path " ======== */" >target
    macros = 0
    split("", marked)
    body(path, path)
    if (macros) print "" >target
    for (i = 1; i <= macros; i++) print "#undef " macro[i] >target
    has[output, path] = 1
}

function begin(name, i) {
    if (name in uses) fail(name " is begun twice")
    if (target) end()
    uses[name] = ""
    output = name
    target = dir "/" name
    print license_line >target
    print "/*" >target
    print " * " name ". The library to be copied into a program: svconn.h and svconn.c, and, where there is POSIX, for links" >target
    print " * that are ready made svconn_transport.h and svconn_transport.c:  cc -O2 app.c svconn.c svconn_transport.c" >target
    print " *" >target
    print " * " origin " Made of the sources by `make amalgamation`: not to be edited." >target
    print " *" >target
    for (i = 1; i <= licenses; i++) print (license[i] == "" ? " *" : " * " license[i]) >target
    print " */" >target
    if (name ~ /\.c$/) {
        print "\n/* Inline functions of headers: not all are used, and clang says so when they stand in a source. */" >target
        print "#ifdef __clang__\n#pragma clang diagnostic push" >target
        print "#pragma clang diagnostic ignored \"-Wunused-function\"\n#endif" >target
    }
    if (name == "svconn.c") {
        internal_begin()
        cplusplus_begin()
    } else if (name ~ /\.c$/) print "#ifdef __cplusplus\n#error \"" name " is C: give it to a C compiler, and link the object\"\n#endif" >target
}

# The functions of a header that svconn_transport.c has as well, crypto.h, are SVCONN_SHARED in svconn.c.
function internal_begin() {
    print "\n/* What svconn.h does not declare is static: what a program does not need is not there, and what is called once has no call. External are the" >target
    print " * functions of crypto.h where there is POSIX, for svconn_transport.c. -DSVCONN_SHARED= and -DSVCONN_INTERNAL= make them, and all others, external. */" >target
    print "#ifndef SVCONN_INTERNAL\n#ifdef __GNUC__\n#define SVCONN_INTERNAL static __attribute__((unused)) /* switches leave functions without a caller */" >target
    print "#else\n#define SVCONN_INTERNAL static\n#endif\n#endif" >target
    print "#ifndef SVCONN_SHARED\n#if defined(__unix__) || defined(__APPLE__) || defined(__HAIKU__)\n#define SVCONN_SHARED" >target
    print "#else\n#define SVCONN_SHARED SVCONN_INTERNAL\n#endif\n#endif" >target
}

# svconn.c is a part of C++ programs too. What is told of there and not in C: the intrinsics of gcc initialise variables by themselves,
# and C++ has other words for what is plain in C.
function cplusplus_begin(names, warnings, n, i) {
    names = "uninitialized maybe-uninitialized missing-field-initializers extra deprecated-enum-enum-conversion deprecated-anon-enum-enum-conversion"
    print "\n/* As a part of a C++ program it is C as before, with names as C has them. */" >target
    print "#ifdef __cplusplus\n#ifdef __GNUC__\n#pragma GCC diagnostic push" >target
    print "#pragma GCC diagnostic ignored \"-Wpragmas\" /* where one of these is not known */" >target
    print "#ifdef __clang__\n#pragma clang diagnostic ignored \"-Wunknown-warning-option\"\n#endif" >target
    n = split(names, warnings, " ")
    for (i = 1; i <= n; i++) print "#pragma GCC diagnostic ignored \"-W" warnings[i] "\"" >target
    print "#endif\nextern \"C\" {\n#endif" >target
}

function cplusplus_end() {
    print "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#ifdef __GNUC__\n#pragma GCC diagnostic pop\n#endif\n#endif" >target
}

function end() {
    if (output == "svconn.c") cplusplus_end()
    if (output ~ /\.c$/) print "\n#ifdef __clang__\n#pragma clang diagnostic pop\n#endif" >target
    close(target)
}

BEGIN { license_line = "/* SPDX-License-Identifier: ISC */" }

FILENAME == ARGV[1] { exists[$1] = 1; next }
FILENAME == ARGV[2] { license[++licenses] = $0; next }

/^#/ || NF == 0 { next }
NF != 2 || $1 !~ /^(output|put|also|use|part)$/ { fail("order: what is \"" $0 "\"?") }
{
    verb[++orders] = $1
    object[orders] = $2
    if ($1 == "also") shared[$2] = 1
    if ($1 == "put" || $1 == "part") {
        if ($2 in kind) fail($2 " is in the list twice")
        if (!($2 in exists)) fail($2 " is in the list, and does not exist")
        if (base($2) in path_of) fail($2 " and " path_of[base($2)] " have one name")
        kind[$2] = $1
        path_of[base($2)] = $2
    }
}

END {
    if (failed) exit 1
    for (path in exists) if (!(path in kind)) fail(path " is not in the list: packaging/amalgamation/order")
    for (n = 1; n <= orders; n++) {
        if (verb[n] == "output") begin(object[n])
        else if (verb[n] == "use") {
            if (!(object[n] in uses)) fail(object[n] " is used before it is made")
            uses[output] = uses[output] " " object[n]
            print "\n#include \"" object[n] "\"" >target
        } else if (verb[n] == "put" || (verb[n] == "also" && object[n] in kind)) put(object[n])
        else if (verb[n] == "also") fail(object[n] " is no header of the list")
    }
    for (path in kind) if (kind[path] == "part" && !(path in parts_used)) fail(path " is included nowhere")
    end()
}
