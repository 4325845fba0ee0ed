// swift-tools-version:5.5
// SPDX-License-Identifier: ISC
// svconn 0.1.0 for Swift: `import SvconnKit`, or `import svconn` for the C functions alone. The version of a package is its tag.
import PackageDescription

let package = Package(
    name: "svconn",
    products: [
        .library(name: "svconn", targets: ["svconn"]),
        .library(name: "SvconnKit", targets: ["SvconnKit"]),
    ],
    targets: [
        .target(
            name: "svconn",
            path: ".",
            exclude: ["bench", "bindings", "cmd", "docs", "examples", "spec", "test-vectors", "tests", "transport", "zephyr"],
            sources: ["svc", "crypto"],
            publicHeadersPath: "packaging/include/core",
            cSettings: [.headerSearchPath("svc"), .headerSearchPath("crypto")]
        ),
        .target(name: "SvconnKit", dependencies: ["svconn"], path: "bindings/swift/Sources/SvconnKit"),
        .testTarget(name: "SvconnKitTests", dependencies: ["SvconnKit"], path: "bindings/swift/Tests/SvconnKitTests"),
    ],
    cLanguageStandard: .c11
)
