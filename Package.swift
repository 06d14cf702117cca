// swift-tools-version: 6.2

import PackageDescription

// Every target of ours is compiled alike: language mode 6, warnings are errors, unsafe code is marked.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let rsa = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let client = Target.Dependency.product(name: "GatepostClient", package: "GatepostClient")
let clientMiddleware = Target.Dependency.product(name: "GatepostHummingbird", package: "GatepostClient")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let instrumentation = Target.Dependency.product(name: "Instrumentation", package: "swift-distributed-tracing")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil, path: String? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "gatepost",
    dependencies: [
        // What an app's own server uses; the program uses it, too, to show what such a server sees.
        .package(path: "GatepostClient"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // The C libraries, each behind one safe module.
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibsodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CLibidn2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .systemLibrary(name: "CLibqrencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        module("Postgres", ["CLibpq"]),
        module("Curl", ["CLibcurl"]),
        module("Passwords", ["CLibsodium"], resources: [.copy("Lists")]),
        module("DomainNames", ["CLibidn2"]),
        module("QRCode", ["CLibqrencode"]),

        // Gatepost, from the values up to the program.
        module("GatepostModel", ["DomainNames", crypto, instrumentation]),
        module("GatepostTelemetry", ["GatepostModel", metrics, logging]),
        module(
            "GatepostStore", ["Postgres", "GatepostModel", crypto],
            resources: [.copy("../../migrations")]),
        module("GatepostOutbox", ["GatepostStore", "GatepostModel", "Postgres"]),
        module(
            "GatepostFlows",
            ["GatepostOutbox", "GatepostStore", "GatepostModel", "Passwords", "Postgres", crypto, rsa, jwt]),
        module(
            "GatepostDelivery", ["Curl", "GatepostModel", crypto, mustache], resources: [.copy("Mail/Templates")]),
        module(
            "GatepostWorkers",
            [
                "GatepostFlows", "GatepostOutbox", "GatepostDelivery", "GatepostStore", "GatepostModel", "Postgres",
                "GatepostTelemetry", logging, lifecycle, metrics,
            ], resources: [.copy("../../jobs")]),
        module(
            "GatepostAPI",
            [
                "GatepostFlows", "GatepostOutbox", "GatepostStore", "GatepostModel", "GatepostTelemetry", "QRCode",
                crypto, mustache, logging, lifecycle, metrics,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], resources: [.copy("Pages/Templates"), .copy("Pages/Texts"), .copy("../../docs/openapi.json")]),
        // What `gatepost dev` and the tests share: a private Postgres, a mail server that keeps what it gets.
        module(
            "GatepostDev",
            nio + [
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "gatepost",
            dependencies: [
                "GatepostAPI", "GatepostWorkers", "GatepostFlows", "GatepostOutbox", "GatepostStore",
                "GatepostDelivery", "GatepostModel", "GatepostTelemetry", "GatepostDev", "Postgres", "Passwords",
                client, clientMiddleware, logging, lifecycle, metrics,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),

        // What `make bench` runs: the figures that matter, each beside its limit.
        .executableTarget(
            name: "gatepost-bench",
            dependencies: [
                "Curl", "GatepostAPI", "GatepostWorkers", "GatepostFlows", "GatepostOutbox", "GatepostStore",
                "GatepostDelivery", "GatepostModel", "GatepostDev", "Postgres", "Passwords", crypto, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio,
            path: "Benchmarks", swiftSettings: settings),

        // What `make chaos` runs: real processes, faults by a seed, and a judge.
        .executableTarget(
            name: "gatepost-chaos",
            dependencies: [
                "Curl", "GatepostDev", "GatepostModel", "Postgres", "TestSupport", crypto,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Chaos", swiftSettings: settings),

        // The suite.
        module(
            "TestSupport",
            [
                "Curl", "GatepostAPI", "GatepostDev", "GatepostFlows", "GatepostModel", "GatepostOutbox",
                "GatepostStore", "GatepostTelemetry", "GatepostWorkers", "GatepostDelivery", "Passwords", "Postgres",
                crypto, rsa, logging,
            ] + nio, path: "Tests/TestSupport"),
        tests("PostgresTests", ["Postgres", "GatepostDev", "TestSupport"]),
        tests("CurlTests", ["Curl", "GatepostDev", "TestSupport"]),
        tests("PasswordsTests", ["Passwords"]),
        tests("DomainNamesTests", ["DomainNames"]),
        tests("QRCodeTests", ["QRCode"]),
        tests("GatepostModelTests", ["GatepostModel"]),
        tests("GatepostTelemetryTests", ["GatepostTelemetry", "GatepostModel", "TestSupport", logging, metrics]),
        tests("GatepostStoreTests", ["GatepostStore", "GatepostModel", "GatepostDev", "Postgres", "TestSupport"]),
        tests("GatepostOutboxTests", ["GatepostOutbox", "GatepostStore", "GatepostModel", "Postgres", "TestSupport"]),
        tests(
            "GatepostDeliveryTests", ["GatepostDelivery", "GatepostModel", "GatepostDev", "Curl", "TestSupport"]),
        tests(
            "GatepostWorkersTests",
            [
                "GatepostWorkers", "GatepostOutbox", "GatepostStore", "GatepostModel", "GatepostTelemetry",
                "GatepostDev", "Postgres", "TestSupport", logging, lifecycle,
            ]),
        tests(
            "GatepostAPITests",
            [
                "GatepostAPI", "GatepostOutbox", "GatepostStore", "GatepostModel", "GatepostTelemetry", "GatepostDev",
                "Passwords", "Postgres", "Curl", "QRCode", "TestSupport", crypto, rsa, logging,
            ]),
        tests(
            "GatepostFlowsTests",
            [
                "GatepostFlows", "GatepostOutbox", "GatepostStore", "GatepostModel", "GatepostWorkers",
                "GatepostDev", "Passwords", "Postgres", "TestSupport", crypto,
            ]),
        tests(
            "EndToEndTests",
            [
                "gatepost", "recipe-swift", "GatepostDev", "GatepostModel", "Postgres", "Curl", "TestSupport", client,
                clientMiddleware, crypto, logging, .product(name: "Hummingbird", package: "hummingbird"),
            ]),
        // The program of docs/recipes/swift.md, compiled as a reader compiles it: with no settings of ours.
        .executableTarget(
            name: "recipe-swift",
            dependencies: [
                client, clientMiddleware, .product(name: "Hummingbird", package: "hummingbird"),
            ], path: "Tests/SwiftRecipe"),
        tests(
            "GatepostTests",
            [
                "gatepost", "GatepostDelivery", "GatepostFlows", "GatepostModel", "GatepostTelemetry", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("GatepostDevTests", ["GatepostDev"] + nio),
        tests(
            "SimulationTests",
            [
                "GatepostDelivery", "GatepostFlows", "GatepostModel", "GatepostOutbox", "GatepostStore",
                "GatepostWorkers", "Passwords", "Postgres", "TestSupport", logging,
            ]),
        tests("ChaosTests", ["gatepost-chaos"]),
        // The package's own tests, built here with everything else and not once more by themselves.
        .testTarget(
            name: "ClientTests", dependencies: [client, crypto, rsa],
            path: "GatepostClient/Tests/GatepostClientTests", swiftSettings: settings),
        tests("TidyTests"),
    ]
)
