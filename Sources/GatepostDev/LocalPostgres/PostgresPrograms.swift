import Foundation

/// Where `postgres`, `initdb` and `psql` are.
///
/// Debian keeps the server programs of each version in a folder of its own, off the `PATH`.
struct PostgresPrograms: Sendable {
    /// Debian's folder, with one folder a major version below it.
    static let debianFolder = "/usr/lib/postgresql"

    let folder: String

    func path(of program: String) -> String { folder + "/" + program }

    /// Finds the programs for a data folder.
    ///
    /// - Parameters:
    ///   - data: The data folder; if a version made it, only that version's programs will do.
    ///   - searchPath: Folders to look through after Debian's, separated by colons.
    /// - Returns: Where they are.
    /// - Throws: `LocalPostgresError.programsMissing`.
    static func find(
        forData data: String, searchPath: String = ProcessInfo.processInfo.environment["PATH"] ?? ""
    ) throws -> PostgresPrograms {
        let version = try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let installed = (try? FileManager.default.contentsOfDirectory(atPath: debianFolder)) ?? []
        let versions = version.map { [$0] } ?? installed.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        var folders = versions.map { "\(debianFolder)/\($0)/bin" }
        if version == nil || !installed.contains(version ?? "") {
            // Programs of another version refuse the data themselves, with a message that says so.
            folders += searchPath.split(separator: ":").map(String.init)
        }
        let found = folders.first { folder in
            ["postgres", "initdb", "psql"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }
        guard let found else { throw LocalPostgresError.programsMissing(majorVersion: version) }
        return PostgresPrograms(folder: found)
    }
}
