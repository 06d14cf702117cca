import Foundation
import Testing

/// The files of this repository, read once.
struct SourceTree: Sendable {
    static let shared = SourceTree()

    /// The folder of the package that apps use, the one whose declarations are public.
    static let client = "GatepostClient/"

    /// The files, sorted by path.
    let files: [SourceFile]

    /// Folders that are made by tools.
    private static let made: Set<String> = [".git", ".gatepost", "__pycache__", "node_modules"]
    /// What is read as text.
    private static let kinds: Set<String> = [
        "swift", "sql", "md", "json", "mustache", "h", "c", "modulemap", "txt", "py", "sh", "yml", "yaml",
    ]
    private static let plainNames: Set<String> = ["Makefile", "run", "setup"]

    private init() {
        // The path may lead through links; what they point to is what is meant.
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        files = Self.paths(below: "", in: root).sorted().compactMap { path in
            guard let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) else {
                return nil
            }
            return SourceFile(path: path, text: text)
        }
    }

    private static func paths(below folder: String, in root: URL) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path + "/" + folder)) ?? []
        return names.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : folder + "/" + name
            let kind = try? root.appendingPathComponent(path).resourceValues(forKeys: [.isDirectoryKey])
            guard kind?.isDirectory ?? false else {
                return plainNames.contains(name) || kinds.contains(String(name.fileExtension)) ? [path] : []
            }
            let isMade = made.contains(name) || name.hasPrefix(".build") || name.hasPrefix(".venv")
            return isMade ? [] : paths(below: path, in: root)
        }
    }

    /// The Swift files below a folder.
    func swift(below folder: String = "") -> [SourceFile] {
        files.filter { $0.path.hasSuffix(".swift") && $0.path.hasPrefix(folder) }
    }
}

/// A file by its path from the root.
struct SourceFile: Sendable {
    let path: String
    let lines: [String]
    /// The same lines taken apart, for Swift files; empty for others.
    let swift: SwiftText

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        swift = SwiftText(path.hasSuffix(".swift") ? text : "")
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }

    /// The target that a Swift file belongs to, of Gatepost's or of the client's package.
    var module: String? {
        let folders = path.trimmingPrefix(SourceTree.client).split(separator: "/")
        return folders.count > 2 && folders[0] == "Sources" ? String(folders[1]) : nil
    }

    /// A breach at a line, counted from 0 here and from 1 where people read it.
    func breach(_ line: Int, _ what: String) -> String {
        "\(path):\(line + 1): \(what)"
    }
}

extension StringProtocol {
    /// What follows the last dot; empty without one.
    var fileExtension: SubSequence {
        lastIndex(of: ".").map { self[index(after: $0)...] } ?? self[endIndex...]
    }
}

/// Fails with every breach of a rule at once.
func expectNone(_ breaches: [String], location: Testing.SourceLocation = #_sourceLocation) {
    guard !breaches.isEmpty else { return }
    Issue.record("\(breaches.count) found:\n\(breaches.joined(separator: "\n"))", sourceLocation: location)
}
