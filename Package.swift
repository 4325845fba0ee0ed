// swift-tools-version:5.5
// SPDX-License-Identifier: ISC
// svconn 0.1.0 for Swift: `import svconn`. The version of a package is its tag.
import PackageDescription

let package = Package(
    name: "svconn",
    products: [.library(name: "svconn", targets: ["svconn"])],
    targets: [
        .target(
            name: "svconn",
            path: ".",
            exclude: ["bench", "cmd", "docs", "examples", "spec", "test-vectors", "tests", "transport", "zephyr"],
            sources: ["svc", "crypto"],
            publicHeadersPath: "packaging/include/core",
            cSettings: [.headerSearchPath("svc"), .headerSearchPath("crypto")]
        )
    ],
    cLanguageStandard: .c11
)
