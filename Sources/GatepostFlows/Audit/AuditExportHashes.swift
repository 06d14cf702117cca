import Crypto
import GatepostModel
import Synchronization

/// How far this process has hashed the files of exports that wait to be finished.
///
/// A hash under way cannot be stored (swift-crypto does not write its state out), and a file of many gigabytes takes
/// longer to read than a message may be held. So a worker hashes for a while, hands the message back, and goes on from
/// here if it gets it again; another worker begins on its own, and gets as far each time.
final class AuditExportHashes: Sendable {
    /// How many are remembered; past that the memory is emptied, which costs only time.
    static let exportsMax = 100

    /// A hash over the first parts of a file.
    struct UnderWay {
        var hasher = SHA256()
        /// The part that comes next.
        var next: Int32 = 0
        var byteCount: Int64 = 0

        mutating func add(_ bytes: [UInt8]) {
            hasher.update(data: bytes)
            next += 1
            byteCount += Int64(bytes.count)
        }

        /// SHA-256 of what was added.
        var hash: [UInt8] { Array(hasher.finalize()) }
    }

    private let underWay = Mutex<[AuditExportID: UnderWay]>([:])

    /// Takes a hash out, to go on with it; two deliveries of one export never share it.
    func take(_ export: AuditExportID) -> UnderWay {
        underWay.withLock { $0.removeValue(forKey: export) } ?? UnderWay()
    }

    /// Keeps a hash for the next time.
    func keep(_ hash: UnderWay, of export: AuditExportID) {
        underWay.withLock { all in
            if all.count >= Self.exportsMax { all.removeAll() }
            all[export] = hash
        }
    }
}
