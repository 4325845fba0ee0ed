# SPDX-License-Identifier: ISC
# Conan 2:   conan create packaging/conan
import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy

SWITCHES = ["SVCONN_SMALL", "SVCONN_FAST_AES", "SVCONN_CLIENT_ONLY", "SVCONN_SERVER_ONLY", "SVCONN_PSK_ONLY", "SVCONN_NO_PSK", "SVCONN_NO_HIDDEN",
            "SVCONN_NO_SLICES", "SVCONN_NO_CUSTOM", "SVCONN_PORTABLE_ONLY"]


def option(switch):  # SVCONN_PSK_ONLY: psk_only
    return switch[len("SVCONN_"):].lower()


class SvconnConan(ConanFile):
    name = "svconn"
    version = "0.1.0"
    description = "Authenticated, encrypted messages over anything that carries bytes"
    license = "ISC"
    author = "the svconn authors"
    url = "https://svconn.example"
    homepage = "https://svconn.example"
    topics = ("security", "cryptography")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "transport": [True, False], "message_limit": ["default", "ANY"],
               **{option(s): [True, False] for s in SWITCHES}}
    default_options = {"shared": False, "fPIC": True, "transport": True, "message_limit": "default",
                       **{option(s): False for s in SWITCHES}}
    languages = "C"

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "svc/*", "crypto/*", "transport/*", "packaging/*", "bindings/cpp/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def config_options(self):
        if self.settings.os == "Windows":
            del self.options.fPIC
            self.options.transport = False

    def configure(self):
        if self.options.shared:
            self.options.rm_safe("fPIC")

    def layout(self):
        cmake_layout(self)

    def definitions(self):
        found = [s for s in SWITCHES if self.options.get_safe(option(s))]
        if self.options.message_limit != "default":
            found.append(f"SVCONN_MESSAGE_LIMIT={self.options.message_limit}")
        return found

    def generate(self):
        tc = CMakeToolchain(self)
        tc.cache_variables["SVCONN_INSTALL"] = True
        tc.cache_variables["SVCONN_TRANSPORT"] = bool(self.options.transport)
        for definition in self.definitions():
            name, _, value = definition.partition("=")
            tc.cache_variables[name] = value or True
        tc.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "svconn")
        self.cpp_info.set_property("cmake_target_name", "svconn::all")  # or it would be the name of the core, with the links in it
        self.cpp_info.set_property("pkg_config_name", "svconn_all")
        core = self.cpp_info.components["core"]
        core.libs = ["svconn"]
        core.defines = self.definitions()
        core.set_property("cmake_target_name", "svconn::svconn")
        core.set_property("pkg_config_name", "svconn")
        if self.options.transport:
            transport = self.cpp_info.components["transport"]
            transport.libs = ["svconn_transport"]
            transport.requires = ["core"]
            transport.set_property("cmake_target_name", "svconn::transport")
            transport.set_property("pkg_config_name", "svconn_transport")
