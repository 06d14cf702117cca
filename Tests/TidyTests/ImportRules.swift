/// Who may import whom: the direction of the dependencies (docs/architecture.md).
enum ImportRules {
    /// The modules of ours that each module imports, no more and no fewer.
    static let table: [String: Set<String>] = [
        "Postgres": ["CLibpq"],
        "Curl": ["CLibcurl"],
        "Passwords": ["CLibsodium"],
        "DomainNames": ["CLibidn2"],
        "QRCode": ["CLibqrencode"],
        "GatepostModel": ["DomainNames"],
        "GatepostTelemetry": ["GatepostModel"],
        "GatepostStore": ["GatepostModel", "Postgres"],
        "GatepostOutbox": ["GatepostModel", "GatepostStore", "Postgres"],
        "GatepostFlows": ["GatepostModel", "GatepostOutbox", "GatepostStore", "Passwords", "Postgres"],
        "GatepostDelivery": ["Curl", "GatepostModel"],
        "GatepostWorkers": [
            "GatepostDelivery", "GatepostFlows", "GatepostModel", "GatepostOutbox", "GatepostStore",
            "GatepostTelemetry", "Postgres",
        ],
        "GatepostAPI": [
            "GatepostFlows", "GatepostModel", "GatepostOutbox", "GatepostStore", "GatepostTelemetry", "QRCode",
        ],
        "GatepostDev": [],
        "GatepostClient": [],
        "GatepostHummingbird": ["GatepostClient"],
        "gatepost": [
            "GatepostAPI", "GatepostClient", "GatepostDelivery", "GatepostDev", "GatepostFlows", "GatepostHummingbird",
            "GatepostModel", "GatepostOutbox", "GatepostStore", "GatepostTelemetry", "GatepostWorkers", "Passwords",
            "Postgres",
        ],
    ]

    /// Packages that belong to a part of the program: nothing else knows that there is HTTP, for example.
    static let packages: [(product: String, homes: Set<String>)] = [
        ("Hummingbird", ["GatepostAPI", "GatepostHummingbird", "gatepost"]),
        ("ArgumentParser", ["gatepost"]),
        ("Configuration", ["gatepost"]),
        ("Mustache", ["GatepostAPI", "GatepostDelivery"]),
        ("JWTKit", ["GatepostClient", "GatepostFlows"]),
        ("NIOCore", ["GatepostAPI", "GatepostDev", "GatepostHummingbird", "gatepost"]),
        ("NIOPosix", ["GatepostDev", "gatepost"]),
    ]

    private static let ours = Set(table.keys).union(table.values.joined())

    /// The modules that a file imports, each with its line.
    static func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        let pattern =
            #/
            ^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:(?:package|internal|private|fileprivate|public)\s+)?
            import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)
            /#
        return file.swift.code.enumerated().compactMap { line, code in
            guard code.contains("import "), let match = code.firstMatch(of: pattern) else { return nil }
            return (line, String(match.1))
        }
    }

    /// Imports that the table does not list, and modules that it does not know.
    static func forbidden(_ files: [SourceFile]) -> [String] {
        files.flatMap { file -> [String] in
            guard let module = file.module else { return [] }
            guard let allowed = table[module] else { return [file.breach(0, "the table of imports lacks \(module)")] }
            return imports(of: file).filter { ours.contains($0.module) && !allowed.contains($0.module) }
                .map { file.breach($0.line, "\(module) may not import \($0.module)") }
        }
    }

    /// Entries of the table that no file needs: it says what is, not what might be.
    static func unused(_ files: [SourceFile]) -> [String] {
        let used = Dictionary(grouping: files.filter { $0.module != nil }, by: { $0.module ?? "" })
            .mapValues { Set($0.flatMap(imports(of:)).map(\.module)) }
        return table.sorted { $0.key < $1.key }.flatMap { module, allowed -> [String] in
            allowed.subtracting(used[module] ?? []).sorted().map { "\(module) imports no \($0)" }
        }
    }

    /// Packages imported away from home.
    static func strayPackages(_ files: [SourceFile]) -> [String] {
        files.flatMap { file -> [String] in
            guard let module = file.module else { return [] }
            return imports(of: file).compactMap { imported in
                let package = packages.first { $0.product == imported.module }
                guard let package, !package.homes.contains(module) else { return nil }
                return file.breach(imported.line, "\(module) may not import \(imported.module)")
            }
        }
    }
}
