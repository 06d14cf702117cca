import Curl
import Foundation
import GatepostAPI
import GatepostModel
import TestSupport
import Testing

/// The OpenAPI document against the router, in both directions.
@Suite("OpenAPI document")
struct OpenAPITests {
    /// An operation as the document describes it.
    private struct Operation {
        let route: String
        let object: [String: Any]
        /// The names in the path that the document declares.
        let pathParameters: Set<String>
    }

    private static let methods = ["get", "put", "post", "delete", "patch"]

    private static func document() throws -> (text: [UInt8], object: [String: Any]) {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "docs/openapi.json"))
        return (Array(data), try #require(JSONSerialization.jsonObject(with: data) as? [String: Any]))
    }

    private static func operations() throws -> [Operation] {
        let paths = try #require(try document().object["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, item in
            let references = (item["parameters"] as? [[String: String]] ?? []).compactMap { $0["$ref"] }
            let names = references.compactMap { $0.split(separator: "/").last.map(String.init) }
            return methods.compactMap { method in
                (item[method] as? [String: Any]).map {
                    Operation(route: "\(method.uppercased()) \(path)", object: $0, pathParameters: Set(names))
                }
            }
        }
    }

    @Test func `the document and the router name the same routes`() async throws {
        try await TestServer.running(devMails: DevMails { [] }) { server in
            let described = try Set(Self.operations().map(\.route))
            #expect(described.subtracting(server.routes) == [], "described but not there")
            #expect(Set(server.routes).subtracting(described) == [], "there but not described")
        }
    }

    @Test func `each admin route names its permission, and no other route does`() async throws {
        try await TestServer.running { server in
            let asked = Dictionary(
                uniqueKeysWithValues: server.adminRoutes.map { ("\($0.method) \($0.path)", $0.permission.rawValue) })
            let askedMore = Dictionary(
                uniqueKeysWithValues: server.adminRoutes.map {
                    ("\($0.method) \($0.path)", $0.builtInPermission?.rawValue)
                })
            for operation in try Self.operations() {
                let more = operation.object["x-permission-built-in-app"] as? String
                #expect(more == askedMore[operation.route].flatMap(\.self), "\(operation.route)")
                #expect(operation.object["x-permission"] as? String == asked[operation.route], "\(operation.route)")
                #expect(asked[operation.route] == nil || operation.object["security"] != nil, "\(operation.route)")
            }
        }
    }

    @Test func `each operation says what it answers, how it fails and what is in its path`() throws {
        let operations = try Self.operations()
        for operation in operations {
            let responses = try #require(operation.object["responses"] as? [String: Any], "\(operation.route)")
            // What a form leads to is another page, or a client.
            let hasAnswer = responses.keys.contains { $0.hasPrefix("2") || $0 == "303" }
            #expect(hasAnswer && responses["default"] != nil, "\(operation.route)")
            let names = Set(operation.route.matches(of: /\{(\w+)\}/).map { String($0.1) })
            #expect(names == operation.pathParameters, "\(operation.route)")
        }
        let ids = operations.compactMap { $0.object["operationId"] as? String }
        #expect(Set(ids).count == operations.count)
    }

    @Test func `paths stand in order, so that two changes meet where they must`() throws {
        let text = String(decoding: try Self.document().text, as: UTF8.self)
        let paths = text.split(separator: "\n").compactMap { $0.wholeMatch(of: #/ {4}"(/[^"]*)": \{/#)?.1 }
        #expect(paths.count > 20)
        #expect(paths == paths.sorted())
    }

    @Test func `it is served as it stands, to be kept for five minutes`() async throws {
        try await TestServer.running { server in
            let answer = try await server.send("GET", "/openapi.json")
            #expect(answer.status == 200)
            #expect(answer.body == (try Self.document().text))
            #expect(answer.header("Content-Type") == "application/json")
            #expect(answer.header("Cache-Control") == "public, max-age=300")
        }
    }
}
