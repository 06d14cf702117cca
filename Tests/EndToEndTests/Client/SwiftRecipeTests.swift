import Foundation
import GatepostDev
import Testing

/// docs/recipes/swift.md: its program is the one that this build makes and runs, byte for byte.
@Suite("Swift recipe")
struct SwiftRecipeTests {
    /// The fenced block of the recipe that is to be written to a file.
    private func block(_ file: String) throws -> String {
        let recipe = try String(
            contentsOf: Outside.root.appendingPathComponent("docs/recipes/swift.md"), encoding: .utf8)
        let begin = try #require(recipe.range(of: "```swift \(file)\n"))
        let end = try #require(recipe.range(of: "\n```\n", range: begin.upperBound..<recipe.endIndex))
        return recipe[begin.upperBound..<end.lowerBound] + "\n"
    }

    @Test func `its program is the one that is tested`() throws {
        let built = try String(
            contentsOf: Outside.root.appendingPathComponent("Tests/SwiftRecipe/Notes.swift"), encoding: .utf8)
        #expect(try block("Sources/Notes/Notes.swift") == built)
    }

    @Test func `its manifest is one, and names the products that the package has`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(try block("Package.swift").utf8).write(to: folder.appendingPathComponent("Package.swift"))

        let recipe = try await manifest(in: folder)
        let package = try await manifest(in: Outside.root.appendingPathComponent("GatepostClient"))
        let target = try #require((recipe["targets"] as? [[String: Any]])?.first)
        // A dependency is ["product name", "package", …].
        let dependencies = (target["dependencies"] as? [[String: [Any]]] ?? []).compactMap { $0["product"] }
        let named = dependencies.filter { $0[1] as? String == "GatepostClient" }.compactMap { $0[0] as? String }
        let products = (package["products"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        #expect(target["name"] as? String == "Notes")
        #expect(named.sorted() == products.sorted() && named.count == 2)
    }

    private func manifest(in folder: URL) async throws -> [String: Any] {
        let process = try await ChildProcess.start(
            "/usr/bin/env", ["swift", "package", "--package-path", folder.path, "dump-package"])
        let exit = try await process.wait(within: .seconds(120)) { $0.end }
        try #require(exit == .done, "\(String(decoding: process.current.errors, as: UTF8.self))")
        let json = try JSONSerialization.jsonObject(with: process.current.output)
        return try #require(json as? [String: Any])
    }
}
