// swift-tools-version: 6.2

import PackageDescription

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

// What an app's own server needs of Gatepost; it knows nothing of Gatepost's inside, and drags nothing of it along.
let package = Package(
    name: "GatepostClient",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "GatepostClient", targets: ["GatepostClient"]),
        .library(name: "GatepostHummingbird", targets: ["GatepostHummingbird"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .target(
            name: "GatepostClient", dependencies: [crypto, .product(name: "JWTKit", package: "jwt-kit")],
            swiftSettings: settings),
        .target(
            name: "GatepostHummingbird",
            dependencies: [
                "GatepostClient",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "GatepostClientTests", dependencies: ["GatepostClient", crypto, rsa],
            swiftSettings: settings),
    ]
)
