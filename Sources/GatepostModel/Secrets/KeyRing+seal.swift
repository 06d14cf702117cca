import Crypto

/// Where a sealed value belongs; it opens nowhere else.
///
/// Handed to AES-GCM as associated data: a row copied over another, or one column over another, does not open.
package struct SealedPlace: Sendable {
    package let table: String
    package let column: String
    package let app: AppID
    package let row: [UInt8]

    /// Names the table, the column, the app and the row's own key.
    package init(table: String, column: String, app: AppID, row: [UInt8]) {
        self.table = table
        self.column = column
        self.app = app
        self.row = row
    }

    fileprivate var bytes: [UInt8] {
        Array("\(table)\u{0}\(column)\u{0}".utf8) + app.uuid.bytes + row
    }
}

/// A sealed value did not open: another key, another place, or changed bytes.
package struct SealBroken: Error {}

extension KeyRing {
    /// Seals with AES-256-GCM: the epoch in two bytes, then nonce, ciphertext and tag.
    package func seal(_ plaintext: [UInt8], at place: SealedPlace) throws -> [UInt8] {
        let key = currentDerivedKey(for: "seal")
        let box = try AES.GCM.seal(plaintext, using: key, authenticating: place.bytes)
        guard let combined = box.combined else { throw SealBroken() }
        let epoch = UInt16(bitPattern: currentEpoch)
        return [UInt8(epoch >> 8), UInt8(epoch & 255)] + Array(combined)
    }

    /// Whether a value is sealed with the key that seals now.
    package func isCurrent(_ sealed: [UInt8]) -> Bool { Self.epoch(ofSealed: sealed) == currentEpoch }

    /// The epoch of the key that a value was sealed under; nil for what is none.
    package static func epoch(ofSealed sealed: [UInt8]) -> Int16? {
        sealed.count > 2 ? Int16(bitPattern: UInt16(sealed[0]) << 8 | UInt16(sealed[1])) : nil
    }

    /// Opens what `seal` made at the same place; throws `SealBroken` otherwise.
    package func open(_ sealed: [UInt8], at place: SealedPlace) throws -> [UInt8] {
        guard let epoch = Self.epoch(ofSealed: sealed), let key = derivedKey(for: "seal", epoch: epoch),
            let box = try? AES.GCM.SealedBox(combined: Array(sealed.dropFirst(2))),
            let plaintext = try? AES.GCM.open(box, using: key, authenticating: place.bytes)
        else { throw SealBroken() }
        return Array(plaintext)
    }
}

/// Seals a refresh token's successor under a key that only the presented token yields.
///
/// The successor must be given again for the grace window, so it is kept; but a dump must not open it. The
/// presented token is itself stored only as a hash, so nothing in the database leads to this key.
package enum SuccessorSeal {
    /// Seals the successor.
    package static func seal(_ successor: OneTimeToken, under presented: OneTimeToken) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(successor.secret.revealed.utf8), using: key(presented))
        guard let combined = box.combined else { throw SealBroken() }
        return Array(combined)
    }

    /// Opens it again with the same presented token.
    package static func open(_ sealed: [UInt8], under presented: OneTimeToken) throws -> OneTimeToken {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let plaintext = try? AES.GCM.open(box, using: key(presented)),
            let token = OneTimeToken(.refresh, presented: String(decoding: plaintext, as: UTF8.self))
        else { throw SealBroken() }
        return token
    }

    private static func key(_ presented: OneTimeToken) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: Array(presented.secret.revealed.utf8)),
            info: Array("gatepost/v1/refresh-successor".utf8), outputByteCount: 32)
    }
}
