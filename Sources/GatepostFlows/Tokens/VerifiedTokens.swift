import Crypto
import GatepostModel
import Synchronization

/// The access tokens that were verified lately: a signature costs more than all else that a request does here.
///
/// Most tokens are shown many times within seconds. What is remembered holds for one reading of an app's keys alone, so
/// for no longer than these (`KeyCache.life`): a key that is withdrawn takes its tokens along. A token's times are
/// compared each time. The tokens themselves are not kept, and a hash takes them byte for byte, which texts do not:
/// some that differ count as equal (Unicode's canonical equivalence).
final class VerifiedTokens: Sendable {
    /// How many are remembered, of all apps, with about 1 KiB each; past that the memory is emptied.
    static let tokensMax = 10_000

    /// A token by its hash.
    typealias Name = SHA256.Digest

    /// What was found for a token with the keys of one reading.
    private struct Entry: Sendable {
        let claims: TokenClaims
        let keys: AppKeys.Reading
    }

    private let entries = Mutex<[Name: Entry]>([:])

    /// What a token is known by.
    static func name(of token: String) -> Name { SHA256.hash(data: Array(token.utf8)) }

    /// The claims of a token that these very keys have verified; nil for any other.
    func claims(of name: Name, by keys: AppKeys.Reading) -> TokenClaims? {
        entries.withLock { $0[name] }.flatMap { $0.keys == keys ? $0.claims : nil }
    }

    /// Remembers a token that is this issuer's and whose signature is right.
    func insert(_ name: Name, _ claims: TokenClaims, by keys: AppKeys.Reading) {
        entries.withLock { entries in
            if entries.count >= Self.tokensMax { entries.removeAll() }
            entries[name] = Entry(claims: claims, keys: keys)
        }
    }
}
