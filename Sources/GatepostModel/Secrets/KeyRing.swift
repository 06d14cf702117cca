import Crypto
import Synchronization

/// The key-encryption keys: from them, by HKDF, comes every key that Gatepost uses for itself.
///
/// A list: the first seals and derives, all open, so a key is replaced by putting a new one in front and is
/// retired at once by taking it off. The number before each key is its epoch and is written into every row
/// that depends on it. The keys are in the configuration and nowhere else: a dump of the database opens nothing.
package struct KeyRing: Sendable, CustomStringConvertible {
    /// How many keys may be listed, so that a search over all of them stays cheap.
    package static let keysMax = 8

    private let keys: [(epoch: Int16, key: SymmetricKey)]
    private let derived = DerivedKeys()

    /// What was wrong with the list, in words that hold no key.
    package enum Invalid: Error, CustomStringConvertible {
        case malformed, repeatedEpoch, none, tooMany

        package var description: String {
            switch self {
            case .malformed: "each key is EPOCH:BASE64, an epoch from 1 to 32767 and 32 bytes in base 64"
            case .repeatedEpoch: "two keys have the same epoch"
            case .none: "no key is given"
            case .tooMany: "at most \(KeyRing.keysMax) keys can be listed"
            }
        }
    }

    /// Reads `2:base64,1:base64`; padding and either alphabet are accepted.
    package init(_ list: Secret) throws(Invalid) {
        var keys: [(epoch: Int16, key: SymmetricKey)] = []
        for entry in list.revealed.split(separator: ",") {
            let parts = entry.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let epoch = Int16(parts[0]), epoch > 0 else { throw .malformed }
            let text = parts[1].replacing("+", with: "-").replacing("/", with: "_").prefix { $0 != "=" }
            guard let bytes = Base64URL.decode(Array(text.utf8)), bytes.count == 32 else { throw .malformed }
            guard !keys.contains(where: { $0.epoch == epoch }) else { throw .repeatedEpoch }
            keys.append((epoch, SymmetricKey(data: bytes)))
        }
        guard !keys.isEmpty else { throw .none }
        guard keys.count <= Self.keysMax else { throw .tooMany }
        self.keys = keys
    }

    /// The epoch that new rows are written under.
    package var currentEpoch: Int16 { keys[0].epoch }

    /// All epochs that still open, the current one first.
    package var epochs: [Int16] { keys.map(\.epoch) }

    package var description: String { "<redacted>" }

    /// The key for one use; nil once the epoch has been retired.
    func derivedKey(for use: String, epoch: Int16) -> SymmetricKey? {
        guard let key = keys.first(where: { $0.epoch == epoch })?.key else { return nil }
        return derived.key(for: use, from: key, epoch: epoch)
    }

    /// A keyed hash under the current epoch, for what must be found again but not read.
    func currentDerivedKey(for use: String) -> SymmetricKey {
        derived.key(for: use, from: keys[0].key, epoch: keys[0].epoch)
    }

    /// The hash under which an address is searched in the ledger.
    ///
    /// Keyed, so that a dump of the ledger does not tell who was written to.
    package func recipientHash(_ address: EmailAddress, in app: AppID) -> [UInt8] {
        Self.recipientHash(address, in: app, key: currentDerivedKey(for: Self.recipientUse))
    }

    /// The hashes under which an address may stand in the ledger: one for each epoch, the current one first.
    package func recipientHashes(_ address: EmailAddress, in app: AppID) -> [[UInt8]] {
        epochs.compactMap { derivedKey(for: Self.recipientUse, epoch: $0) }
            .map { Self.recipientHash(address, in: app, key: $0) }
    }

    private static let recipientUse = "recipient-hash"

    private static func recipientHash(_ address: EmailAddress, in app: AppID, key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: app.uuid.bytes + Array(address.canonical.utf8), using: key))
    }
}

/// The keys that were derived before: there are few, and each mail and each page of a list needs one.
private final class DerivedKeys: Sendable {
    private struct Name: Hashable {
        let use: String
        let epoch: Int16
    }

    private let keys = Mutex<[Name: SymmetricKey]>([:])

    func key(for use: String, from key: SymmetricKey, epoch: Int16) -> SymmetricKey {
        keys.withLock { keys in
            let name = Name(use: use, epoch: epoch)
            if let known = keys[name] { return known }
            let new = HKDF<SHA256>.deriveKey(
                inputKeyMaterial: key, info: Array("gatepost/v1/\(use)".utf8), outputByteCount: 32)
            keys[name] = new
            return new
        }
    }
}
