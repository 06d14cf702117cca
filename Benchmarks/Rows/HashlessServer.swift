import ArgumentParser
import Foundation
import GatepostAPI
import GatepostModel
import GatepostStore
import Logging
import Passwords
import Postgres

/// `gatepost-bench serve-without-hashes`: the API as `gatepost serve` composes it, without the cost of a hash.
///
/// A hash takes a thousand times as long as the rest of a sign-up, so with it nothing else can be seen. It is taken out
/// here and not by a setting: what weakens passwords should not be in the program at all.
struct HashlessServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-without-hashes", abstract: "Answer HTTP for a benchmark.", shouldDisplay: false)

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        func setting(_ name: String) -> String { environment["GATEPOST_" + name] ?? "" }
        guard let address = ListenAddress(setting("LISTEN")) else {
            throw ValidationError("GATEPOST_LISTEN is missing")
        }
        let pool = PostgresPool(PostgresConfiguration(connectionString: setting("DATABASE_URL")))
        let (database, baseURL) = (Database(pool: pool), setting("BASE_URL"))
        let hasher = PasswordHasher(threads: ProcessInfo.processInfo.activeProcessorCount, queueMax: 64)
        let composition = Composition(
            database: database, clock: try await DatabaseClock(pool: pool),
            keys: try KeyRing(Secret(setting("KEY_ENCRYPTION_KEYS"))), baseURL: baseURL, hasher: hasher)
        let server = try APIServer(
            database: database, flows: composition.flows, keys: composition.keys, baseURL: baseURL,
            host: address.host, port: address.port,
            observation: Observation(readiness: try Readiness(database: database)),
            logger: Logger(label: "gatepost"),
            onListening: { port in
                FileHandle.standardOutput.write(Data("listening on http://\(address.host):\(port)\n".utf8))
            })
        try await server.run()
    }
}

/// Takes the place of libsodium's function in this program: a symbol of the program goes before one of a library.
///
/// Every new hash is the one of the benchmark's password, at no cost. Verifying is libsodium's own and costs what it
/// costs.
@_cdecl("crypto_pwhash_str_alg")
func hashAtNoCost(
    _ output: UnsafeMutablePointer<CChar>, _ password: UnsafePointer<CChar>, _ passwordLength: UInt64,
    _ passes: UInt64, _ memoryBytes: Int, _ algorithm: CInt
) -> CInt {
    for (offset, byte) in (Array(Site.passwordHash.utf8) + [0]).enumerated() {
        unsafe output[offset] = CChar(bitPattern: byte)
    }
    return 0
}
