# SPDX-License-Identifier: ISC
"""The files of package systems, as far as they can be judged without those systems: mandatory fields, syntax, one version, one license,
one home, the switches of crypto/profile.h, and no source file that is missing from a list or does not exist.

    python3 tests/packaging/lint.py            says what is wrong; status 1 if anything is
    python3 tests/packaging/lint.py --fix      first writes the lists of meson.build again
    python3 tests/packaging/lint.py --self     plants one defect after another in a copy: each must be found
"""
import ast
import glob
import json
import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree

try:
    import yaml
except ImportError:  # Debian: python3-yaml
    yaml = None

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PLACE = "https://svconn.example"  # until there is a home
VALUES = ["SVCONN_MESSAGE_LIMIT"]  # switches that are a number


class Lint:
    def __init__(self, root):
        self.root = root
        self.found = []  # (file, what)

    def bad(self, name, what):
        self.found.append(f"{name}: {what}")

    def text(self, name):
        try:
            with open(os.path.join(self.root, name), encoding="utf-8") as f:
                return f.read()
        except OSError:
            self.bad(name, "is missing")
            return ""

    def files(self, pattern):
        return sorted(os.path.relpath(f, self.root) for f in glob.glob(os.path.join(self.root, pattern), recursive=True))

    # ---- what everything is measured by ----

    def version(self):
        found = re.search(r'^#define SVCONN_VERSION "(\d+\.\d+\.\d+)"', self.text("svc/svconn.h"), re.M)
        if not found:
            self.bad("svc/svconn.h", "no SVCONN_VERSION")
        return found.group(1) if found else "?"

    def switches(self):
        """What crypto/profile.h names before "Chosen by the target": a name, then two spaces or more."""
        head = self.text("crypto/profile.h").split("Chosen by the target")[0]
        return sorted(set(re.findall(r"\b(SVCONN_[A-Z0-9_]+)(?=  )", head)))

    # ---- helpers ----

    def fields(self, name, text, patterns):
        """patterns: what -> regular expression that must match, or (expression, value of its group)"""
        for what, pattern in patterns.items():
            pattern, want = pattern if isinstance(pattern, tuple) else (pattern, None)
            found = re.search(pattern, text, re.M)
            if not found:
                self.bad(name, f"no {what}")
            elif want is not None and found.group(1) != want:
                self.bad(name, f"{what} is {found.group(1)}, not {want}")

    def dictionary(self, name, load, mandatory):
        """A file of fields. mandatory: name -> value, a type that it must have, or None for any text."""
        text = self.text(name)
        try:
            data = load(text) if text else {}
        except Exception as e:  # whatever the loader calls it
            self.bad(name, f"cannot be read: {e}")
            return {}
        if not isinstance(data, dict):
            self.bad(name, "is not a list of fields")
            return {}
        for field, want in mandatory.items():
            got = data.get(field)
            if got is None or got == "":
                self.bad(name, f"no {field}")
            elif isinstance(want, type):
                if not isinstance(got, want):
                    self.bad(name, f"{field} is not a {want.__name__}")
            elif want is not None and got != want:
                self.bad(name, f"{field} is {got}, not {want}")
        return data

    def same_switches(self, name, listed, want):
        for s in sorted(set(want) - set(listed)):
            self.bad(name, f"{s} of crypto/profile.h is missing")
        for s in sorted(set(listed) - set(want)):
            self.bad(name, f"{s} is not in crypto/profile.h")

    def exists(self, name, patterns):
        for p in patterns:
            if not self.files(p):
                self.bad(name, f"{p} does not exist")

    def covers(self, name, patterns):
        """All of the core and the marks of serial lines are in what these patterns name."""
        listed = {f for p in patterns for f in self.files(p)}
        for f in self.files("svc/*.c") + self.files("crypto/*.c"):
            if f not in listed:
                self.bad(name, f"{f} is missing")

    # ---- one ecosystem after another ----

    def license(self):
        self.fields("LICENSE", self.text("LICENSE"), {"ISC": r"\AISC License"})
        plain = ["CMakeLists.txt", "meson.build", "meson_options.txt", "Package.swift", "svconn.podspec", "idf_component.yml",
                 "zephyr/module.yml", "zephyr/CMakeLists.txt", "zephyr/Kconfig", "packaging/svconn.pc.in", "packaging/svconn_transport.pc.in",
                 "packaging/platformio.py", "packaging/vcpkg/portfile.cmake", "packaging/conan/conanfile.py",
                 "packaging/conan/test_package/conanfile.py", "packaging/conan/test_package/CMakeLists.txt",
                 "packaging/cmake/svconn-config.cmake.in", "packaging/cmake/exports.h", "packaging/include/core/module.modulemap"]
        for name in plain + self.files("packaging/include/*/*.h"):
            if "SPDX-License-Identifier: ISC" not in "".join(self.text(name).splitlines(True)[:2]):
                self.bad(name, "no license in its first two lines")

    def headers(self):
        """Public headers include nothing of ours but each other; the forwarding ones lead to them."""
        public = {"svconn.h": "svc", "svconn.hpp": "bindings/cpp", "svconn_transport.h": "transport", "svconn_line.h": "transport"}
        for h, d in public.items():
            for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', self.text(f"{d}/{h}"), re.M):
                if included not in public:
                    self.bad(f"{d}/{h}", f"a public header includes {included}, which nobody installs")
        for where, names in (("core", ("svconn.h", "svconn.hpp", "svconn_line.h")), ("transport", ("svconn_transport.h",))):
            for h in names:
                f = f"packaging/include/{where}/{h}"
                self.fields(f, self.text(f), {"include of the real one": r'^#include "\.\./\.\./\.\./%s/%s"$' % (public[h], re.escape(h))})

    def pkg_config(self):
        for name in ("svconn", "svconn_transport"):
            f = f"packaging/{name}.pc.in"
            self.fields(f, self.text(f), {
                "prefix": r"^prefix=\$\{pcfiledir\}/@UP@$", "Name": (r"^Name: (\S+)$", name), "Description": r"^Description: \S",
                "Version": r"^Version: @VERSION@$", "License": r"^License: ISC$", "Cflags": r"^Cflags: -I\$\{includedir\}",
                "Libs": r"^Libs: -L\$\{libdir\} -l%s(@SVCONN_SYSTEM_LIBS@)?$" % name})
        self.fields("packaging/svconn.pc.in", self.text("packaging/svconn.pc.in"), {"switches": r"^Cflags: .*@SWITCHES@$"})
        f = "packaging/svconn_transport.pc.in"
        self.fields(f, self.text(f), {"Requires": r"^Requires: svconn = @VERSION@$"})

    def cmake(self):
        f = "CMakeLists.txt"
        text = self.text(f)
        self.fields(f, text, {"minimum version": r"^cmake_minimum_required\(VERSION 3\.13", "project": r"^project\(svconn VERSION \$\{SVCONN_VERSION\}",
                              "version from the header": r'svc/svconn\.h" SVCONN_VERSION_LINE', "core sources": r"/svc/\*\.c.*/crypto/\*\.c",
                              "svconn::svconn": r"ALIAS svconn\)$", "svconn::transport": r"add_library\(svconn::transport ALIAS",
                              "ESP-IDF": r"^if\(ESP_PLATFORM\)", "INCLUDE_DIRS": r"\bINCLUDE_DIRS packaging/include/core"})
        for glob_line in re.findall(r"^\s*file\(GLOB SVCONN_CORE_SOURCES.*", text, re.M):
            self.fields(f, glob_line, {"svc/*.c in a list of sources": r'/svc/\*\.c"', "crypto/*.c in a list of sources": r'/crypto/\*\.c"'})
        lists = re.findall(r"^set\(SVCONN_(?:SWITCHES|VALUES) ([^)]*)\)", text, re.M)
        self.same_switches(f, " ".join(lists).split(), self.switches())

    def meson(self):
        f = "meson.build"
        text = self.text(f)
        self.fields(f, text, {"version": (r"^project\(.*\bversion: '([^']+)'", self.version()), "license": (r"\blicense: '([^']+)'", "ISC"),
                              "overrides": r"override_dependency\('svconn'"})
        for name, files in meson_lists(self).items():
            if meson_list(name, files) not in text:
                self.bad(f, f"its list {name} is not what is there (lint.py --fix writes it again)")
        f = "meson_options.txt"
        text = self.text(f)
        listed = re.findall(r"'(SVCONN_\w+)'", text) + ["SVCONN_MESSAGE_LIMIT"] * ("option('message_limit'" in text)
        self.same_switches(f, listed, self.switches())

    def zephyr(self):
        f = "zephyr/module.yml"
        if yaml:
            data = self.dictionary(f, yaml.safe_load, {"name": "svconn", "build": dict})
            build = data.get("build") or {}
            self.exists(f, [os.path.join(str(build.get("cmake")), "CMakeLists.txt"), str(build.get("kconfig"))])
        f = "zephyr/CMakeLists.txt"
        text = self.text(f)
        self.fields(f, text, {"sources": r"/svc/\*\.c.*/crypto/\*\.c", "line.c": r"/transport/line\.c", "guard": r"^if\(CONFIG_SVCONN\)"})
        self.same_switches(f, re.findall(r"\bSVCONN_(?:%s)\b" % "|".join(s[7:] for s in self.all_like(text)), text), self.switches())
        f = "zephyr/Kconfig"
        text = self.text(f)
        self.fields(f, text, {"SVCONN": r"^config SVCONN$", "end": r"^endif"})
        self.same_switches(f, [c for c in re.findall(r"^config (\w+)$", text, re.M) if c != "SVCONN"], self.switches())
        for block in re.split(r"^config ", text, flags=re.M)[1:]:
            if not re.search(r"^\t(bool|int) \"", block, re.M):
                self.bad(f, f"{block.split()[0]} has no type and prompt")

    @staticmethod
    def all_like(text):
        return [w for w in set(re.findall(r"\bSVCONN_[A-Z_]+\b", text)) if w not in ("SVCONN_ROOT", "SVCONN_SOURCES")] or ["SVCONN_-"]

    def esp_idf(self):
        f = "idf_component.yml"
        if yaml:
            data = self.dictionary(f, yaml.safe_load, {"version": self.version(), "description": str, "url": PLACE, "license": "ISC", "dependencies": dict})
            excluded = [p.split("/")[0] for p in (data.get("files") or {}).get("exclude", [])]
            for d in ("svc", "crypto", "packaging", "transport"):
                if d in excluded:
                    self.bad(f, f"{d} may not be excluded")

    def platformio(self):
        f = "library.json"
        data = self.dictionary(f, json.loads, {"name": "svconn", "version": self.version(), "description": str, "keywords": list, "license": "ISC",
                                               "homepage": PLACE, "authors": list, "build": dict})
        build = data.get("build") or {}
        self.covers(f, [p[2:-1] for p in build.get("srcFilter", []) if p.startswith("+<")])
        self.exists(f, [p[2:-1] for p in build.get("srcFilter", []) if p.startswith("+<")] +
                    [os.path.join(build.get("includeDir", "-"), "svconn.h"), build.get("extraScript", "-")])
        self.python("packaging/platformio.py")

    def arduino(self):
        f = "packaging/arduino/library.properties"
        load = lambda text: dict(line.split("=", 1) for line in text.splitlines() if line)
        data = self.dictionary(f, load, {"name": "svconn", "version": self.version(), "author": str, "maintainer": str, "sentence": str, "paragraph": str,
                                         "category": str, "url": PLACE, "architectures": str, "includes": "svconn.h", "license": "ISC"})
        if data.get("category") not in ("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage",
                                        "Data Processing", "Other"):
            self.bad(f, "the category is none of Arduino's")

    def swift(self):
        f = "Package.swift"
        text = self.text(f)
        self.fields(f, text, {"tools version": r"\A// swift-tools-version:\s*\d+\.\d+$", "version": (r"svconn (\d+\.\d+\.\d+) for Swift", self.version()),
                              "Package": r'Package\(\s*name: "svconn"', "products": r"\.library\(", "sources": r'sources: \["svc", "crypto"\]',
                              "publicHeadersPath": r'publicHeadersPath: "packaging/include/core"', "C standard": r"cLanguageStandard: \.c11"})
        self.brackets(f, text)
        for d in re.findall(r'"([^"]+)"', "".join(re.findall(r"exclude: \[([^\]]*)\]", text))):
            self.exists(f, [d])
            if d in ("svc", "crypto", "packaging"):
                self.bad(f, f"{d} may not be excluded")
        for d in re.findall(r'\bpath: "([^"]+)"', text):
            self.exists(f, [d])
        f = "packaging/include/core/module.modulemap"
        self.fields(f, self.text(f), {"module": r"^module svconn \{", "header": r'^\s+header "svconn\.h"$'})

    def cargo(self):
        for name in ("svconn-sys", "svconn"):
            f = f"bindings/rust/{name}/Cargo.toml"
            self.fields(f, self.text(f), {"name": (r'^name = "([^"]+)"', name), "version": (r'^version = "([^"]+)"', self.version()),
                                          "license": (r'^license = "([^"]+)"', "ISC"), "repository": (r'^repository = "([^"]+)"', PLACE),
                                          "description": r'^description = "', "rust-version": r'^rust-version = "', "include": r"^include = \["})
        self.fields(f, self.text(f), {"dependency": (r'^svconn-sys = \{ version = "([^"]+)"', self.version())})

    def cocoapods(self):
        f = "svconn.podspec"
        text = self.text(f)
        self.fields(f, text, {"name": (r"s\.name = '([^']+)'", "svconn"), "version": (r"s\.version = '([^']+)'", self.version()),
                              "summary": r"s\.summary = '[^']{1,140}'", "homepage": (r"s\.homepage = '([^']+)'", PLACE),
                              "license": (r"s\.license = \{ :type => '([^']+)'", "ISC"), "authors": r"s\.authors? = '", "source": r"s\.source = \{ :git =>",
                              "source_files": r"s\.source_files = ", "public_header_files": (r"s\.public_header_files = '([^']+)'", "svc/svconn.h"),
                              "end": r"^end$"})
        self.covers(f, [p.replace("{c,h}", "c") for p in re.findall(r"'([^']+)'", "".join(re.findall(r"s\.source_files = (.*)", text)))])

    def python(self, name):
        try:
            ast.parse(self.text(name))
        except SyntaxError as e:
            self.bad(name, f"cannot be read: {e}")

    def conan(self):
        f = "packaging/conan/conanfile.py"
        text = self.text(f)
        self.python(f)
        self.python("packaging/conan/test_package/conanfile.py")
        self.fields(f, text, {"name": (r'^    name = "([^"]+)"', "svconn"), "version": (r'^    version = "([^"]+)"', self.version()),
                              "license": (r'^    license = "([^"]+)"', "ISC"), "url": (r'^    url = "([^"]+)"', PLACE), "homepage": r"^    homepage = ",
                              "description": r'^    description = "', "settings": r"^    settings = ", "package_info": r"^    def package_info\(self\):",
                              "export_sources": r'"CMakeLists\.txt", "LICENSE", "svc/\*", "crypto/\*", "transport/\*", "packaging/\*", "bindings/cpp/\*"'})
        listed = re.findall(r'"(SVCONN_\w+)"', "".join(re.findall(r"^SWITCHES = \[([^\]]*)\]", text, re.M))) + ["SVCONN_MESSAGE_LIMIT"] * ('"message_limit"' in text)
        self.same_switches(f, listed, self.switches())
        f = "packaging/conan/test_package/CMakeLists.txt"
        self.fields(f, self.text(f), {"find_package": r"^find_package\(svconn REQUIRED"})

    def vcpkg(self):
        self.dictionary("packaging/vcpkg/vcpkg.json", json.loads, {"name": "svconn", "version": self.version(), "description": str, "homepage": PLACE,
                                                                  "license": "ISC", "dependencies": list})
        f = "packaging/vcpkg/portfile.cmake"
        self.fields(f, self.text(f), {"configure": r"^vcpkg_cmake_configure\(SOURCE_PATH", "install": r"^vcpkg_cmake_install\(\)",
                                      "fixup": r"^vcpkg_cmake_config_fixup\(CONFIG_PATH lib/cmake/svconn\)", "copyright": r"^vcpkg_install_copyright\("})
        self.fields("packaging/vcpkg/usage", self.text("packaging/vcpkg/usage"), {"find_package": r"find_package\(svconn"})

    def android(self):
        self.dictionary("packaging/android/prefab/prefab.json", json.loads, {"schema_version": 2, "name": "svconn", "version": self.version(), "dependencies": list})
        self.dictionary("packaging/android/prefab/modules/svconn/module.json", json.loads, {"export_libraries": list, "library_name": "libsvconn", "android": dict})
        abi = lambda text: json.loads(text.replace("@ABI@", "arm64-v8a").replace("@API@", "21").replace("@NDK@", "25"))
        self.dictionary("packaging/android/prefab/modules/svconn/abi.json.in", abi, {"abi": "arm64-v8a", "api": 21, "ndk": 25, "stl": "none", "static": True})

        here = "bindings/jvm/android/"
        f = here + "build.gradle.kts"
        text = self.text(f)
        self.fields(f, text, {"plugin": r'^    id\("com\.android\.library"\)$', "namespace": (r'^    namespace = "([^"]+)"$', "io.svconn"),
                              "version": (r'^version = "([^"]+)"$', self.version()), "group": (r'^group = "([^"]+)"$', "io.svconn"),
                              "compileSdk": r"^    compileSdk = \d\d$", "ndkVersion": r'^    ndkVersion = "\d+\.\d+\.\d+"$', "minSdk": r"^        minSdk = (\d\d)\b",
                              "abiFilters": (r"^            abiFilters \+= listOf\((.*)\)$", '"arm64-v8a", "armeabi-v7a", "x86", "x86_64"'),
                              "target": (r'^                targets \+= "(\w+)"$', "svconn_jni"), "cmake version": r'^            version = "3\.\d+\.\d+"$',
                              "sourceCompatibility": (r"^        sourceCompatibility = JavaVersion\.(\w+)$", "VERSION_1_8"),
                              "targetCompatibility": (r"^        targetCompatibility = JavaVersion\.(\w+)$", "VERSION_1_8"), "publishing": r'^        singleVariant\("release"\)'})
        self.brackets(f, text)
        files = re.findall(r'(?:consumerProguardFiles\(|path = file\(|setSrcDirs\(listOf\()"([^"]+)"', text)
        self.exists(f, [os.path.normpath(here + name) for name in files])
        if len(files) != 3:
            self.bad(f, "names other files than the rules, CMakeLists.txt and the classes")
        f = here + "settings.gradle.kts"
        text = self.text(f)
        self.fields(f, text, {"plugin": r'^        id\("com\.android\.library"\) version "\d+\.\d+\.\d+"$', "google(), for plugins and for the app": r"^        google\(\)\n(?:.*\n)+        google\(\)$",
                              "name": (r'^rootProject\.name = "([^"]+)"$', "svconn")})
        self.brackets(f, text)
        f = here + "src/main/AndroidManifest.xml"
        try:
            root = xml.etree.ElementTree.fromstring(self.text(f).strip() or "<none/>")
            if root.tag != "manifest" or len(root) or root.attrib:
                self.bad(f, "has more than a manifest that asks for nothing")
        except xml.etree.ElementTree.ParseError as e:
            self.bad(f, f"cannot be read: {e}")
        f = here + "consumer-rules.pro"
        kept = re.findall(r"^-keepclasseswithmembernames,includedescriptorclasses class (\S+) \{\n    native <methods>;\n\}$", self.text(f), re.M)
        native = [n for n in self.files("bindings/jvm/java/**/*.java") if re.search(r"\bnative \w", self.text(n))]
        if native != ["bindings/jvm/java/" + k.replace(".", "/") + ".java" for k in kept]:
            self.bad(f, f"keeps {' '.join(kept)}, but native functions are in {' '.join(native)}")
        f = "bindings/jvm/CMakeLists.txt"
        self.fields(f, self.text(f), {"target": r"^add_library\(svconn_jni SHARED svconn_jni\.c \$\{SVCONN_CORE\}\)$", "sources": r"/svc/\*\.c.*/crypto/\*\.c",
                                      "page size": r"-Wl,-z,max-page-size=16384"})

    def brackets(self, name, text):
        for pair in ("()", "[]", "{}"):
            if text.count(pair[0]) != text.count(pair[1]):
                self.bad(name, "brackets do not match")

    ECOSYSTEMS = ["license", "headers", "pkg_config", "cmake", "meson", "zephyr", "esp_idf", "platformio", "arduino", "swift", "cargo", "cocoapods", "conan", "vcpkg",
                  "android"]

    def run(self):
        for name in self.ECOSYSTEMS:
            getattr(self, name)()
        return self.found


def meson_lists(lint):
    """What is for POSIX alone is what CMakeLists.txt leaves out on Windows."""
    filtered = re.search(r"SVCONN_TRANSPORT_SOURCES EXCLUDE REGEX \"([^\"]+)\"", lint.text("CMakeLists.txt"))
    posix = re.compile(filtered.group(1).replace("\\\\", "\\") if filtered else "$^")
    transport = lint.files("transport/*.c")
    return {"svc": lint.files("svc/*.c"), "crypto": lint.files("crypto/*.c"), "transport": [f for f in transport if not posix.search(f)],
            "transport_posix": [f for f in transport if posix.search(f)], "transport_windows": lint.files("transport/windows/*.c")}


def meson_list(name, files):
    return f"{name} = files(\n" + "".join(f"  '{f}',\n" for f in files) + ")\n"


def fix(root):
    lint = Lint(root)
    text = lint.text("meson.build")
    for name, files in meson_lists(lint).items():
        text = re.sub(rf"^{name} = files\([^)]*\)\n", lambda _: meson_list(name, files), text, flags=re.M)
    with open(os.path.join(root, "meson.build"), "w", encoding="utf-8") as f:
        f.write(text)


# (file, expression, what it becomes): each must be complained about, in that file
PLANTS = [
    (f, r"0\.1\.0", "0.1.1") for f in ("meson.build", "idf_component.yml", "library.json", "packaging/arduino/library.properties", "Package.swift",
                                       "svconn.podspec", "packaging/conan/conanfile.py", "packaging/vcpkg/vcpkg.json", "packaging/android/prefab/prefab.json",
                                       "bindings/rust/svconn/Cargo.toml", "bindings/rust/svconn-sys/Cargo.toml")
] + [
    ("bindings/rust/svconn/Cargo.toml", r'svconn-sys = \{ version = "0\.1\.0"', 'svconn-sys = { version = "0.0.9"'),
    ("bindings/rust/svconn-sys/Cargo.toml", r'license = "ISC"', 'license = "MIT"'),
] + [
    (f, r"ISC", "MIT") for f in ("meson.build", "idf_component.yml", "library.json", "packaging/arduino/library.properties", "svconn.podspec",
                                 "packaging/conan/conanfile.py", "packaging/vcpkg/vcpkg.json", "zephyr/Kconfig", "packaging/svconn.pc.in")
] + [
    (f, r"SVCONN_NO_HIDDEN", "SVCONN_NO_HIDE") for f in ("CMakeLists.txt", "meson_options.txt", "zephyr/CMakeLists.txt", "zephyr/Kconfig", "packaging/conan/conanfile.py")
] + [
    (f, re.escape(PLACE), "https://elsewhere.example") for f in ("idf_component.yml", "library.json", "svconn.podspec", "packaging/vcpkg/vcpkg.json")
] + [
    (f, r"[\]})]\n\Z", "\n") for f in ("library.json", "packaging/vcpkg/vcpkg.json", "packaging/android/prefab/prefab.json", "Package.swift")
] + [
    # the line of one mandatory field goes
    (f, rf"^[ ]*\W?(s\.)?{field}\b.*\n", "") for f, fields in {
        "idf_component.yml": "version description url license", "library.json": "name version description keywords homepage license authors build",
        "packaging/arduino/library.properties": "name version author maintainer sentence paragraph category url architectures license",
        "svconn.podspec": "name version summary homepage license authors source source_files public_header_files end",
        "packaging/conan/conanfile.py": "name version license url description settings", "packaging/vcpkg/vcpkg.json": "name version description license homepage",
        "packaging/android/prefab/prefab.json": "schema_version name version", "packaging/svconn.pc.in": "prefix Name Description Version Cflags Libs",
        "packaging/svconn_transport.pc.in": "prefix Name Version Requires Libs", "zephyr/module.yml": "name cmake kconfig"}.items()
    for field in fields.split()
] + [
    ("meson.build", r"^  'svc/seed\.c',\n", ""), ("meson.build", r"'svc/seed\.c'", "'svc/sead.c'"), ("library.json", r'"\+<crypto/\*\.c>", ', ""),
    ("library.json", r"svc/\*\.c", "src/*.c"), ("svconn.podspec", r", 'crypto/\*\.\{c,h\}'", ""), ("zephyr/CMakeLists.txt", r"/crypto/\*\.c", "/crypt/*.c"),
    ("CMakeLists.txt", r"/svc/\*\.c", "/src/*.c"), ("zephyr/module.yml", r"zephyr/Kconfig", "zephyr/Kconf"), ("zephyr/module.yml", r": svconn", ":\tsvconn"),
    ("packaging/arduino/library.properties", r"Communication", "Networking"), ("packaging/platformio.py", r"\(\"env\"\)", "(\"env\""),
    ("Package.swift", r'"docs"', '"documents"'), ("Package.swift", r"swift-tools", "swift-tool"),
    ("Package.swift", r"Sources/SvconnKit", "Source/SvconnKit"), ("svc/svconn.h", r"<stdint\.h>", '"profile.h"'),
    ("packaging/include/core/svconn.h", r"svc/svconn\.h", "svc/svcon.h"), ("packaging/include/core/svconn.hpp", r"cpp/svconn\.hpp", "cpp/svconn.h"),
    ("idf_component.yml", r"bench/", "svc/"),
    ("packaging/vcpkg/portfile.cmake", r"^vcpkg_cmake_install.*\n", ""),
] + [
    ("bindings/jvm/android/" + f, pattern, becomes) for f, pattern, becomes in (
        ("build.gradle.kts", r"com\.android\.library", "com.android.application"), ("build.gradle.kts", r"namespace = \"io", "namespace = \"org"),
        ("build.gradle.kts", r"0\.1\.0", "0.1.1"), ("build.gradle.kts", r"minSdk", "minSdkVersion"), ("build.gradle.kts", r"\"x86\", ", ""),
        ("build.gradle.kts", r"consumer-rules", "proguard-rules"), ("build.gradle.kts", r"\"\.\./CMakeLists", "\"src/main/cpp/CMakeLists"),
        ("build.gradle.kts", r"\"\.\./java", "\"java"), ("build.gradle.kts", r"\}\n\Z", "\n"), ("build.gradle.kts", r"^.*targets.*\n", ""),
        ("settings.gradle.kts", r" version \"[^\"]*\"", ""), ("settings.gradle.kts", r"^ +google.*\n", ""),
        ("src/main/AndroidManifest.xml", r" />", "><uses-permission android:name=\"android.permission.INTERNET\" /></manifest>"),
        ("src/main/AndroidManifest.xml", r" />", ">"), ("consumer-rules.pro", r"io\.svconn\.Native", "io.svconn.Natives"), ("consumer-rules.pro", r"native <", "public <"))
] + [
    ("bindings/jvm/CMakeLists.txt", r"max-page-size", "page-size"), ("bindings/jvm/CMakeLists.txt", r"/crypto/\*\.c", "/crypto/a*.c"),
]


def self_test(root):
    missed = 0
    files = "CMakeLists.txt LICENSE meson.build meson_options.txt Package.swift svconn.podspec idf_component.yml library.json".split()
    with tempfile.TemporaryDirectory() as tmp:
        for d in ("svc", "crypto", "transport", "packaging", "zephyr", "bindings"):
            shutil.copytree(os.path.join(root, d), os.path.join(tmp, d))
        for d in ("bench", "cmd", "docs", "examples", "spec", "test-vectors", "tests"):
            os.mkdir(os.path.join(tmp, d))
        for f in files:
            shutil.copy(os.path.join(root, f), tmp)
        if Lint(tmp).run():
            return  # told by the run without --self
        for f, pattern, becomes in PLANTS:
            if f.endswith(".yml") and not yaml:
                continue
            path = os.path.join(tmp, f)
            with open(path, encoding="utf-8") as file:
                before = file.read()
            after = re.sub(pattern, becomes, before, count=0 if pattern == "ISC" else 1, flags=re.M)
            with open(path, "w", encoding="utf-8") as file:
                file.write(after)
            found = [x for x in Lint(tmp).run() if x.startswith(f + ":")]
            with open(path, "w", encoding="utf-8") as file:
                file.write(before)
            if after == before or not found:
                missed += 1
                print(f"FAIL lint: a planted defect in {f} was {'not planted' if after == before else 'missed'}: {pattern} -> {becomes!r}")
        extra = os.path.join(tmp, "crypto", "new.c")
        with open(extra, "w", encoding="utf-8"):
            pass
        if not any(x.startswith("meson.build:") for x in Lint(tmp).run()):
            missed += 1
            print("FAIL lint: a new source was missed")
    if not missed:
        print(f"pass lint: each of {len(PLANTS) + 1} planted defects is found")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    if "--fix" in sys.argv:
        fix(ROOT)
    if "--self" in sys.argv:
        self_test(ROOT)
    if yaml is None:
        print("skip lint: no YAML in this Python: idf_component.yml and zephyr/module.yml were not read (Debian: python3-yaml)")
    complaints = Lint(ROOT).run()
    for c in complaints:
        print(f"FAIL lint: {c}")
    for name in Lint.ECOSYSTEMS if not complaints else []:
        print(f"pass lint: {name}")
    sys.exit(1 if complaints else 0)
